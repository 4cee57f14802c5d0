-- Realised revenue, item by item, in the currency it was paid in. Items after as_of are not here.
-- Grain: landed row (feed, load_number, line): items have no key of their own, and equal rows are
-- several items.
-- `amount_minor` adds up within one currency only.

with

revenue as (

    select * from {{ ref("stg_landed__revenue") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

final as (

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
        cast(
            round(
                revenue.amount * cast({{ power_of_ten("currencies.exponent") }} as decimal(5, 0)), 0
            ) as bigint
        ) as amount_minor,
        -- times
        revenue.occurred_at,
        {{ local_date("revenue.occurred_at", "run_parameter.time_zone") }} as revenue_date
    from revenue
    cross join run_parameter
    left join currencies on revenue.currency = currencies.currency
    where revenue.occurred_at <= run_parameter.as_of

)

select * from final
