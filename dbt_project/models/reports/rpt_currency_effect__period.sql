-- What exchange rates did to the figures: per fiscal month and currency the native amount, what the
-- books make of it, what it would be at one rate for all days, and the difference.
-- Grain: metric, period_start_date, currency.
-- Reporting, constant and effect add up over months and currencies of one metric, to the published
-- spend, pipeline opened, won and revenue; native amounts within one currency only. What has no
-- native amount is not here. Null: a rate is missing, so the sum is unknown.

with

spend as (

    select * from {{ ref("fct_spend__campaign_daily") }}

),

opportunities as (

    select * from {{ ref("fct_opportunity") }}

),

revenue as (

    select * from {{ ref("fct_revenue__item") }}

),

days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

constant_rates as (

    select * from {{ ref("int_currency__constant_rate") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

opened as (

    select
        opportunities.opened_date as day,
        opportunities.opened_currency as currency,
        opportunities.opened_amount_minor as native_minor,
        opportunities.opened_reporting_amount_minor as reporting_minor,
        {{ converted_minor(
            "opportunities.opened_amount_minor",
            "constant_rates.rate",
            "currencies.exponent",
            "reporting.exponent",
        ) }} as constant_minor
    from opportunities
    cross join run_parameter
    left join constant_rates on opportunities.opened_currency = constant_rates.currency
    left join currencies on opportunities.opened_currency = currencies.currency
    left join currencies as reporting on run_parameter.reporting_currency = reporting.currency

),

amounts as (

    select
        'spend' as metric,
        spend_date as day,
        currency,
        cost_minor as native_minor,
        amount_minor as reporting_minor,
        constant_amount_minor as constant_minor
    from spend

    union all

    select
        'pipeline_opened' as metric,
        day,
        currency,
        native_minor,
        reporting_minor,
        constant_minor
    from opened

    union all

    select
        'won' as metric,
        {{ local_date("opportunities.won_at", "run_parameter.time_zone") }} as day,
        opportunities.currency,
        opportunities.amount_minor as native_minor,
        opportunities.reporting_amount_minor as reporting_minor,
        opportunities.constant_amount_minor as constant_minor
    from opportunities
    cross join run_parameter
    where opportunities.is_won

    union all

    select
        'revenue' as metric,
        revenue_date as day,
        currency,
        amount_minor as native_minor,
        reporting_amount_minor as reporting_minor,
        constant_amount_minor as constant_minor
    from revenue

),

daily as (

    select
        metric,
        day,
        currency,
        count(*) as records,
        count(reporting_minor) as reporting_records,
        count(constant_minor) as constant_records,
        {{ exact_sum("native_minor") }} as native_minor,
        {{ exact_sum("reporting_minor") }} as reporting_minor,
        {{ exact_sum("constant_minor") }} as constant_minor
    from amounts
    where native_minor is not null
    group by metric, day, currency

),

in_months as (

    select
        daily.*,
        coalesce(days.month_start, cast(date_trunc('month', daily.day) as date)) as month_start,
        coalesce(
            days.month_end, cast(date_trunc('month', daily.day) + interval '1' month as date)
        ) as month_end
    from daily
    left join days on daily.day = days.day

),

monthly as (

    select
        metric,
        month_start as period_start_date,
        month_end as period_end_date,
        currency,
        {{ exact_sum("records") }} as records,
        {{ exact_sum("native_minor") }} as native_minor,
        case
            when sum(reporting_records) = sum(records) then {{ exact_sum("reporting_minor") }}
        end as reporting_minor,
        case
            when sum(constant_records) = sum(records) then {{ exact_sum("constant_minor") }}
        end as constant_minor
    from in_months
    group by metric, month_start, month_end, currency

),

final as (

    select
        metric,
        currency,
        records,
        native_minor,
        reporting_minor,
        constant_minor,
        reporting_minor - constant_minor as effect_minor,
        period_start_date,
        period_end_date
    from monthly

)

select * from final
