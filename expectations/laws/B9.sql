/*
id: B9
title: Every amount is converted at its day's rate
meaning: >
  Each amount in the reporting currency is the amount in its own currency times the published
  exchange rate of its day, to within half of the smallest coin. No rate is missing, and amounts
  that were divided add up to the whole again. If this breaks, totals over currencies are wrong or
  too small.
severity: block
unit: rows
forgivable: true
waivable: true
owner: Finance, who own the exchange rates
what_to_do: >
  Where a rate is missing, deliver it in fx_rates for the currency and day in the row (a rate holds
  for a week at most), or give the plan a rate of it where the plan's policy asks for the plan's.
  What is harmless can be accepted by number of rows, with a reason, under `tolerances: laws: B9:`
  of the feed. An amount that is not its rate times the native one is a fault in the models.
*/

-- query: applies
with

rows_kept as (

    select coalesce(sum(kept_rows), 0) as kept_rows
    from audit.row
    where table_name in ('spend', 'opportunities', 'revenue')

),

final as (

    select 'no spend, opportunity or revenue source' as reason
    from rows_kept
    where kept_rows = 0

)

select * from final;

-- query: measure
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        (select count(*) from main.fct_spend__campaign_daily)
        + (select count(*) from main.fct_opportunity)
        + (select count(*) from main.fct_revenue__item) as checked

)

select * from final;

-- query: offenders
-- Whole numbers only: an amount times 10^(9 - shift of exponents) beside the native amount times
-- the rate's nine digits; half a minor unit is half of that power.
with

amounts as (

    select
        feed,
        'spend' as entity,
        campaign_key as item,
        currency,
        spend_date as day,
        rate_basis as basis,
        cost_minor as native_minor,
        amount_minor as reporting_minor
    from main.fct_spend__campaign_daily

    union all

    select
        feed,
        'opportunity' as entity,
        opportunity_id as item,
        currency,
        rate_date as day,
        null as basis,
        amount_minor as native_minor,
        reporting_amount_minor as reporting_minor
    from main.fct_opportunity

    union all

    select
        feed,
        'opportunity as opened' as entity,
        opportunity_id as item,
        opened_currency as currency,
        opened_date as day,
        null as basis,
        opened_amount_minor as native_minor,
        opened_reporting_amount_minor as reporting_minor
    from main.fct_opportunity

    union all

    select
        feed,
        'revenue' as entity,
        revenue_id as item,
        currency,
        revenue_date as day,
        'market' as basis,
        amount_minor as native_minor,
        reporting_amount_minor as reporting_minor
    from main.fct_revenue__item

),

constant_amounts as (

    select
        feed,
        'spend' as entity,
        campaign_key as item,
        currency,
        spend_date as day,
        cost_minor as native_minor,
        constant_amount_minor as constant_minor
    from main.fct_spend__campaign_daily

    union all

    select
        feed,
        'opportunity' as entity,
        opportunity_id as item,
        currency,
        rate_date as day,
        amount_minor as native_minor,
        constant_amount_minor as constant_minor
    from main.fct_opportunity

    union all

    select
        feed,
        'revenue' as entity,
        revenue_id as item,
        currency,
        revenue_date as day,
        amount_minor as native_minor,
        constant_amount_minor as constant_minor
    from main.fct_revenue__item

),

reporting as (

    select
        run.reporting_currency,
        max(dim_fx_rate.exponent) as exponent
    from audit.run
    left join main.dim_fx_rate on run.reporting_currency = dim_fx_rate.currency
    group by all

),

-- The days are few, the amounts many.
days as (

    select distinct
        currency,
        day
    from amounts
    where native_minor is not null

),

published_rates as (

    select
        *,
        cast(cast(rate as decimal(38, 9)) * 1000000000 as hugeint) as whole_rate
    from main.dim_fx_rate

),

scales as (

    select
        published_rates.currency,
        any_value(
            case 9 - reporting.exponent + published_rates.exponent
                when 5 then 100000 when 6 then 1000000 when 7 then 10000000 when 8 then 100000000
                when 9 then 1000000000 when 10 then 10000000000 when 11 then 100000000000
                when 12 then 1000000000000 when 13 then 10000000000000
            end
        ) as scale
    from published_rates
    cross join reporting
    group by all

),

day_rates as (

    select
        days.currency,
        days.day,
        scales.scale,
        max(rates.whole_rate) filter (where rates.basis = 'market') as market_rate,
        max(rates.whole_rate) filter (where rates.basis = 'plan') as plan_rate,
        max(case
            when policies.spend_rate = 'plan' and days.currency <> reporting.reporting_currency
                then 1
            else 0
        end) = 1 as is_spend_at_plan_rate
    from days
    cross join reporting
    inner join scales on days.currency = scales.currency
    inner join published_rates as rates
        on
            days.currency = rates.currency
            and rates.basis in ('market', 'plan')
            and days.day >= rates.valid_from_date
            and days.day < rates.valid_to_date
    left join audit.plan_policy as policies
        on
            rates.basis = 'plan'
            and rates.plan_version = policies.version
    group by days.currency, days.day, scales.scale

),

constant_rates as (

    select
        published_rates.currency,
        scales.scale,
        published_rates.whole_rate as rate
    from published_rates
    inner join scales on published_rates.currency = scales.currency
    where published_rates.basis = 'constant'

),

judged as (

    select
        amounts.*,
        case
            when
                amounts.reporting_minor is null
                and case
                    when amounts.entity like 'opportunity%'
                        then coalesce(day_rates.market_rate, day_rates.plan_rate)
                    when amounts.entity = 'spend' and day_rates.is_spend_at_plan_rate
                        then day_rates.plan_rate
                    else day_rates.market_rate
                end is null
                then 'no exchange rate on the day or in the week before'
            when amounts.reporting_minor is null then 'there is a rate and no reporting amount'
            when day_rates.currency is null then 'a reporting amount without a published rate'
            when
                amounts.entity = 'spend'
                and amounts.basis is distinct from case
                    when day_rates.is_spend_at_plan_rate then 'plan' else 'market'
                end
                then 'converted at another rate than the policy asks for'
            when
                coalesce(
                    coalesce(amounts.basis, 'market') = 'market'
                    and 2 * abs(
                        cast(amounts.reporting_minor as hugeint) * day_rates.scale
                        - cast(amounts.native_minor as hugeint) * day_rates.market_rate
                    ) <= day_rates.scale,
                    false
                )
                or coalesce(
                    coalesce(amounts.basis, 'plan') = 'plan'
                    and 2 * abs(
                        cast(amounts.reporting_minor as hugeint) * day_rates.scale
                        - cast(amounts.native_minor as hugeint) * day_rates.plan_rate
                    ) <= day_rates.scale,
                    false
                )
                then null
            else 'the reporting amount is not the native one at the rate of the day'
        end as problem
    from amounts
    left join day_rates
        on
            amounts.currency = day_rates.currency
            and amounts.day = day_rates.day
    where amounts.native_minor is not null

),

judged_constant as (

    select
        constant_amounts.*,
        'the constant amount is not the native one at the constant rate' as problem
    from constant_amounts
    left join constant_rates on constant_amounts.currency = constant_rates.currency
    where
        constant_amounts.native_minor is not null
        and constant_amounts.constant_minor is not null
        and coalesce(
            2 * abs(
                cast(constant_amounts.constant_minor as hugeint) * constant_rates.scale
                - cast(constant_amounts.native_minor as hugeint) * constant_rates.rate
            ) > constant_rates.scale,
            true
        )

),

of_amounts as (

    select
        feed,
        problem,
        entity,
        currency,
        day,
        min(item) as item,
        count(*) as rows
    from judged
    where problem is not null
    group by all

    union all

    select
        feed,
        problem,
        entity,
        currency,
        day,
        min(item) as item,
        count(*) as rows
    from judged_constant
    group by all

),

not_a_rate as (

    select
        cast(null as varchar) as feed,
        case
            when rate <= 0 then 'a rate that is not above zero'
            else 'two rates of one day'
        end as problem,
        'rate, ' || basis as entity,
        currency,
        valid_from_date as day,
        cast(null as varchar) as item,
        1 as rows
    from (
        select
            *,
            lag(valid_to_date) over (
                partition by basis, currency
                order by valid_from_date, valid_to_date
            ) as previous_to_date
        from main.dim_fx_rate
    )
    where rate <= 0 or previous_to_date > valid_from_date

),

-- Detail and its residual beside the total, in the reporting currency (in its own: law B1).
detail_sums as (

    select
        campaign_key,
        account,
        spend_date,
        currency,
        min(feed) as feed,
        sum(amount_minor) as parts_minor,
        count(*) filter (where amount_minor is null) as unknown_parts
    from main.fct_spend__ad_daily
    group by all

),

spend_sums as (

    select
        campaign_key,
        account,
        spend_date,
        currency,
        sum(amount_minor) as total_minor
    from main.fct_spend__campaign_daily
    group by all

),

of_detail as (

    select
        detail_sums.feed,
        'detail and residual do not add up to their total' as problem,
        'spend' as entity,
        detail_sums.currency,
        detail_sums.spend_date as day,
        detail_sums.campaign_key as item,
        1 as rows
    from detail_sums
    left join spend_sums using (campaign_key, account, spend_date, currency)
    where
        detail_sums.parts_minor is distinct from spend_sums.total_minor
        or (detail_sums.unknown_parts > 0 and spend_sums.total_minor is not null)

),

-- The report on the effect of rates beside what it is made of.
known_amounts as (

    select
        case entity
            when 'opportunity as opened' then 'pipeline_opened' else entity
        end as metric,
        currency,
        native_minor,
        reporting_minor
    from amounts
    where native_minor is not null and entity <> 'opportunity'

    union all

    select
        'won' as metric,
        currency,
        amount_minor as native_minor,
        reporting_amount_minor as reporting_minor
    from main.fct_opportunity
    where is_won and amount_minor is not null

),

known_sums as (

    select
        metric,
        currency,
        sum(native_minor) as native_minor,
        case when count(*) = count(reporting_minor) then sum(reporting_minor) end
            as reporting_minor
    from known_amounts
    group by all

),

effect_sums as (

    select
        metric,
        currency,
        sum(native_minor) as native_minor,
        case when count(*) = count(reporting_minor) then sum(reporting_minor) end
            as reporting_minor,
        count(*) filter (where effect_minor is distinct from reporting_minor - constant_minor)
            as wrong_effects
    from main.rpt_currency_effect__period
    group by all

),

of_effects as (

    select
        cast(null as varchar) as feed,
        'the effect of exchange rates is not that of the published amounts' as problem,
        coalesce(known_sums.metric, effect_sums.metric) as entity,
        coalesce(known_sums.currency, effect_sums.currency) as currency,
        cast(null as date) as day,
        cast(null as varchar) as item,
        1 as rows
    from known_sums
    full join effect_sums
        on
            known_sums.metric = effect_sums.metric
            and known_sums.currency = effect_sums.currency
    where
        known_sums.native_minor is distinct from effect_sums.native_minor
        or known_sums.reporting_minor is distinct from effect_sums.reporting_minor
        or effect_sums.wrong_effects > 0

),

problems as (

    select * from of_amounts

    union all

    select * from not_a_rate

    union all

    select * from of_detail

    union all

    select * from of_effects

),

final as (

    select * from problems
    order by problem, entity, currency, day

)

select * from final;
