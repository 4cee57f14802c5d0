-- What the finest rows say of a campaign's day, beside its total: ad groups or ads, and one row
-- (residual) per total for what they leave out. Together they are the total, to the minor unit, in
-- both currencies; days without detail are not here.
-- Grain: feed, source, account, campaign_key, spend_date, currency, kind, ad_group, ad.
-- Do not add it to fct_spend__campaign_daily: it is the same money. A residual may be negative:
-- the detail then exceeds its total.

with

detail as (

    select * from {{ ref("int_spend__detail") }}

),

totals as (

    select * from {{ ref("fct_spend__campaign_daily") }}

),

spend_rates as (

    select * from {{ ref("int_currency__spend_rate") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

detail_days as (

    select distinct
        campaign_key,
        account,
        spend_date,
        currency
    from detail

),

day_totals as (

    select
        totals.campaign_key,
        totals.account,
        totals.spend_date,
        totals.currency,
        min(totals.feed) as feed,
        min(totals.source) as source,
        {{ exact_sum("totals.cost_minor") }} as cost_minor,
        {{ exact_sum("totals.amount_minor") }} as amount_minor,
        {{ exact_sum("totals.impressions") }} as impressions,
        {{ exact_sum("totals.clicks") }} as clicks,
        max(totals.last_known_at) as last_known_at
    from totals
    inner join detail_days
        on
            totals.campaign_key = detail_days.campaign_key
            and totals.account = detail_days.account
            and totals.spend_date = detail_days.spend_date
            and totals.currency = detail_days.currency
    group by totals.campaign_key, totals.account, totals.spend_date, totals.currency

),

summed as (

    select
        feed,
        source,
        account,
        campaign_key,
        spend_date,
        currency,
        kind,
        ad_group,
        ad,
        sum(cost) as cost,
        {{ exact_sum("impressions") }} as impressions,
        {{ exact_sum("clicks") }} as clicks,
        max(known_at) as last_known_at
    from detail
    group by feed, source, account, campaign_key, spend_date, currency, kind, ad_group, ad

),

in_minor_units as (

    select
        summed.*,
        spend_rates.minor_rate,
        cast(
            summed.cost * cast({{ power_of_ten("currencies.exponent") }} as decimal(5, 0))
            as decimal(38, 9)
        ) as exact_minor
    from summed
    left join currencies on summed.currency = currencies.currency
    left join spend_rates
        on
            summed.currency = spend_rates.currency
            and summed.spend_date = spend_rates.day

),

-- Largest remainder, so that the parts of a cent add up: first of the native amount, then of what
-- that is worth.
ranked_native as (

    select
        *,
        row_number() over (
            partition by campaign_key, account, spend_date, currency
            order by
                exact_minor - floor(exact_minor) desc,
                ad_group asc,
                ad asc,
                kind asc,
                feed asc,
                source asc
        ) as remainder_rank,
        cast(round(sum(exact_minor) over days, 0) as bigint)
        - cast(sum(floor(exact_minor)) over days as bigint) as units_left
    from in_minor_units
    window days as (partition by campaign_key, account, spend_date, currency)

),

native as (

    select
        *,
        cast(floor(exact_minor) as bigint)
        + case when remainder_rank <= units_left then 1 else 0 end as cost_minor
    from ranked_native

),

worth as (

    select
        *,
        cast(cost_minor as decimal(18, 0)) * minor_rate as exact_amount
    from native

),

ranked_worth as (

    select
        *,
        row_number() over (
            partition by campaign_key, account, spend_date, currency
            order by
                exact_amount - floor(exact_amount) desc,
                ad_group asc,
                ad asc,
                kind asc,
                feed asc,
                source asc
        ) as amount_rank,
        cast(round(sum(exact_amount) over days, 0) as bigint)
        - cast(sum(floor(exact_amount)) over days as bigint) as amount_units_left
    from worth
    window days as (partition by campaign_key, account, spend_date, currency)

),

parts as (

    select
        *,
        cast(floor(exact_amount) as bigint)
        + case when amount_rank <= amount_units_left then 1 else 0 end as amount_minor
    from ranked_worth

),

part_sums as (

    select
        campaign_key,
        account,
        spend_date,
        currency,
        {{ exact_sum("cost_minor") }} as cost_minor,
        {{ exact_sum("amount_minor") }} as amount_minor,
        {{ exact_sum("impressions") }} as impressions,
        {{ exact_sum("clicks") }} as clicks
    from parts
    group by campaign_key, account, spend_date, currency

),

final as (

    select
        feed,
        source,
        account,
        campaign_key,
        spend_date,
        currency,
        kind,
        ad_group,
        ad,
        false as is_residual,
        cost_minor,
        amount_minor,
        impressions,
        clicks,
        last_known_at
    from parts

    union all

    select
        day_totals.feed,
        day_totals.source,
        day_totals.account,
        day_totals.campaign_key,
        day_totals.spend_date,
        day_totals.currency,
        '(residual)' as kind,
        '(residual)' as ad_group,
        '(residual)' as ad,
        true as is_residual,
        day_totals.cost_minor - part_sums.cost_minor as cost_minor,
        day_totals.amount_minor - part_sums.amount_minor as amount_minor,
        day_totals.impressions - part_sums.impressions as impressions,
        day_totals.clicks - part_sums.clicks as clicks,
        day_totals.last_known_at
    from day_totals
    inner join part_sums
        on
            day_totals.campaign_key = part_sums.campaign_key
            and day_totals.account = part_sums.account
            and day_totals.spend_date = part_sums.spend_date
            and day_totals.currency = part_sums.currency

)

select * from final
