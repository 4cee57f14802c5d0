-- Realised revenue, item by item, in the currency it was paid in and in the reporting currency, at
-- the rate of its day. Items after as_of are not here.
-- Grain: landed row (feed, load_number, line): items have no key of their own, and equal rows are
-- several items.
-- `amount_minor` adds up within one currency only, `reporting_amount_minor` and
-- `constant_amount_minor` over all.

with

revenue as (

    select * from {{ ref("stg_landed__revenue") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

rates as (

    select * from {{ ref("int_fx_rate__interval") }}

),

constant_rates as (

    select * from {{ ref("int_currency__constant_rate") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

items as (

    select
        -- ids
        revenue._feed as feed,
        revenue._load as load_number,
        revenue._line as line,
        revenue.revenue_id,
        revenue.item,
        revenue.opportunity_id,
        -- text
        revenue.account,
        revenue.currency,
        -- numbers
        {{ minor_units("revenue.amount", "currencies.exponent") }} as amount_minor,
        currencies.exponent,
        reporting.exponent as reporting_exponent,
        -- times
        revenue.occurred_at,
        {{ local_date("revenue.occurred_at", "run_parameter.time_zone") }} as revenue_date
    from revenue
    cross join run_parameter
    left join currencies on revenue.currency = currencies.currency
    left join currencies as reporting on run_parameter.reporting_currency = reporting.currency
    where revenue.occurred_at <= run_parameter.as_of

),

-- The days are few: joined to the rates once each.
days as (

    select distinct
        currency,
        revenue_date
    from items

),

day_rates as (

    select
        days.currency,
        days.revenue_date,
        rates.rate
    from days
    inner join rates
        on
            days.currency = rates.currency
            and days.revenue_date >= rates.valid_from
            and days.revenue_date < rates.valid_to

),

final as (

    select
        -- ids
        items.feed,
        items.load_number,
        items.line,
        items.revenue_id,
        items.item,
        items.opportunity_id,
        -- text
        items.account,
        items.currency,
        -- numbers
        items.amount_minor,
        {{ converted_minor(
            "items.amount_minor", "day_rates.rate", "items.exponent", "items.reporting_exponent"
        ) }} as reporting_amount_minor,
        {{ converted_minor(
            "items.amount_minor",
            "constant_rates.rate",
            "items.exponent",
            "items.reporting_exponent",
        ) }} as constant_amount_minor,
        day_rates.rate,
        -- times
        items.occurred_at,
        items.revenue_date
    from items
    left join day_rates
        on
            items.currency = day_rates.currency
            and items.revenue_date = day_rates.revenue_date
    left join constant_rates on items.currency = constant_rates.currency

)

select * from final
