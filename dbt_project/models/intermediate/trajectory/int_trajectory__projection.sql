-- Where each KPI of the plan will stand when its period ends (of rates: when all of its entrants
-- are decided), with an 80 percent interval.
-- Grain: period, scope, metric; periods that have begun.
-- Counts and money: what there is, and a gamma distribution of what is to come. Prices and days:
-- the quotient of two such sums. Rates: those who have gone on or will, of all entrants. What is
-- there is never taken back, so a count ends no lower than it stands.

{% set z = 1.2816 %}

with

periods as (

    select * from {{ ref("int_plan_vs_actual__kpi_period") }}

),

kpis as (

    select * from {{ ref("kpis") }}

),

outlooks as (

    select * from {{ ref("int_trajectory__outlook") }}

),

deals as (

    select * from {{ ref("int_trajectory__deal") }}

),

rates as (

    select * from {{ ref("int_trajectory__rate") }}

),

run_parameter as (

    select {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

begun as (

    select
        periods.period,
        periods.scope,
        periods.metric,
        periods.unit,
        periods.is_counted,
        cast(periods.numerator as double) as numerator,
        cast(periods.denominator as double) as denominator,
        case
            when periods.metric in ('budget', 'cost_per_lead') then 'budget'
            when periods.metric in ('pipeline', 'acv') then 'opportunity'
            when periods.metric in ('bookings', 'cycle_days') then 'won'
            else kpis.to_stage
        end as stream,
        case periods.metric when 'acv' then 'pipeline' else periods.metric end as deal_metric
    from periods
    inner join kpis on periods.metric = kpis.metric
    cross join run_parameter
    where periods.period_start_date <= run_parameter.as_of_date

),

figures as (

    select
        begun.*,
        coalesce(outlooks.in_funnel, 0) as in_funnel,
        coalesce(outlooks.to_arrive, 0) as to_arrive,
        coalesce(outlooks.in_funnel + outlooks.to_arrive, 0) as coming,
        coalesce(outlooks.variance, 0) as coming_variance,
        coalesce(outlooks.expected_unknown, 0) as expected_unknown,
        coalesce(outlooks.expected_minor, 0) as expected_minor,
        outlooks.cohort_size,
        case
            when begun.unit = 'count' or begun.metric in ('pipeline', 'bookings')
                then {{ gamma_quantile(
                    "(outlooks.in_funnel + outlooks.to_arrive)", "outlooks.variance", "-" ~ z
                ) }}
        end as fewest,
        deals.mean_value,
        coalesce(deals.relative_variance, 0) as relative_variance,
        coalesce(deals.deals, 0) + {{ prior_deals() }} as known_deals,
        coalesce(leads.in_funnel + leads.to_arrive, 0) as leads_coming,
        coalesce(leads.variance, 0) as leads_variance
    from begun
    left join outlooks
        on
            begun.scope = outlooks.scope
            and begun.period = outlooks.period
            and begun.stream = outlooks.stream
    left join outlooks as leads
        on
            begun.metric = 'cost_per_lead'
            and begun.scope = leads.scope
            and begun.period = leads.period
            and leads.stream = 'lead'
    left join deals
        on
            begun.scope = deals.scope
            and begun.deal_metric = deals.metric

),

-- What is to come, in the KPI's own unit: of the funnel and of what has yet to arrive.
sums as (

    select
        period,
        scope,
        metric,
        numerator as there,
        in_funnel,
        to_arrive,
        coming_variance as variance,
        fewest,
        unit = 'count' as is_count,
        cohort_size
    from figures
    where unit = 'count' or metric = 'budget'

    union all

    select
        period,
        scope,
        metric,
        numerator as there,
        in_funnel * mean_value as in_funnel,
        to_arrive * mean_value as to_arrive,
        mean_value * mean_value * (
            coming_variance
            + coming * relative_variance
            + coming * coming * relative_variance / known_deals
        ) as variance,
        fewest,
        false as is_count,
        cohort_size
    from figures
    where metric = 'pipeline'

    union all

    -- Deals that are open bring their own amounts.
    select
        period,
        scope,
        metric,
        numerator as there,
        expected_minor + expected_unknown * mean_value as in_funnel,
        to_arrive * mean_value as to_arrive,
        power(
            (expected_minor + (expected_unknown + to_arrive) * mean_value)
            / nullif(coming, 0), 2
        ) * (coming_variance + coming * relative_variance)
        + power((expected_unknown + to_arrive) * mean_value, 2) * relative_variance / known_deals
            as variance,
        fewest,
        false as is_count,
        cohort_size
    from figures
    where metric = 'bookings'

),

projected_sums as (

    select
        period,
        scope,
        metric,
        there + coalesce(in_funnel + to_arrive, 0) as projected,
        there + case
            -- Perhaps there is no deal, and so no money.
            when round(fewest, 0) = 0 and variance > 0 then 0
            else coalesce(
                {{ whole_if(
                    "is_count",
                    gamma_quantile("(in_funnel + to_arrive)", "variance", "-" ~ z),
                ) }}, 0
            )
        end as low,
        there + coalesce(
            {{ whole_if("is_count", gamma_quantile("(in_funnel + to_arrive)", "variance", z)) }},
            0
        ) as high,
        coalesce(in_funnel, 0) as in_funnel,
        coalesce(to_arrive, 0) as to_arrive,
        cast(null as double) as base,
        cohort_size
    from sums

),

quotients as (

    select
        period,
        scope,
        metric,
        (numerator + coming) / nullif(denominator + leads_coming, 0) as projected,
        coming_variance / nullif(power(numerator + coming, 2), 0)
        + leads_variance / nullif(power(denominator + leads_coming, 2), 0) as relative_variance,
        coming / nullif(numerator + coming, 0) as coming_share,
        denominator + leads_coming as base,
        cohort_size
    from figures
    where metric = 'cost_per_lead'

    union all

    select
        period,
        scope,
        metric,
        (numerator + coalesce(coming * mean_value, 0))
        / nullif(denominator + case when mean_value is null then 0 else coming end, 0)
            as projected,
        power(mean_value, 2) * relative_variance
        * (coming + (coming * coming + coming_variance) / known_deals)
        / nullif(power(numerator + coming * mean_value, 2), 0) as relative_variance,
        coming / nullif(denominator + coming, 0) as coming_share,
        denominator + coming as base,
        cohort_size
    from figures
    where metric in ('acv', 'cycle_days')

),

projected_quotients as (

    select
        period,
        scope,
        metric,
        projected,
        projected * exp(-{{ z }} * sqrt(coalesce(relative_variance, 0))) as low,
        projected * exp({{ z }} * sqrt(coalesce(relative_variance, 0))) as high,
        cast(0 as double) as in_funnel,
        projected * coalesce(coming_share, 0) as to_arrive,
        base,
        cohort_size
    from quotients

),

rate_counts as (

    select
        *,
        cast(entries as double) + entering as entrants,
        expected_of_waiting + expected_of_entering as coming
    from rates

),

projected_rates as (

    select
        period,
        scope,
        metric,
        (moved + coming) / nullif(entrants, 0) as projected,
        (moved + round({{ gamma_quantile("coming", "variance", "-" ~ z) }}, 0))
        / nullif(entrants, 0) as low,
        (
            moved
            + least(round({{ gamma_quantile("coming", "variance", z) }}, 0), waiting + entering)
        ) / nullif(entrants, 0) as high,
        expected_of_waiting / nullif(entrants, 0) as in_funnel,
        expected_of_entering / nullif(entrants, 0) as to_arrive,
        entrants as base,
        cohort_size
    from rate_counts

),

every as (

    select * from projected_sums

    union all

    select * from projected_quotients

    union all

    select * from projected_rates

),

final as (

    select
        begun.period,
        begun.scope,
        begun.metric,
        every.projected,
        least(every.low, every.projected) as low,
        greatest(every.high, every.projected) as high,
        every.in_funnel,
        every.to_arrive,
        every.base,
        every.cohort_size
    from begun
    left join every
        on
            begun.period = every.period
            and begun.scope = every.scope
            and begun.metric = every.metric
            and begun.is_counted

)

select * from final
