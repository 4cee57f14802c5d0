-- The days of the reporting time zone, and the fiscal week, month, quarter and year of each: whole
-- fiscal years, from the first day of spend, leads or opportunities to the year of as_of.
-- Grain: day_date. A period's last day is the day before the next one starts.

with

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

run_parameter as (

    select
        as_of,
        {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

first_days as (

    select min(spend_date) as first_date
    from {{ ref("fct_spend__campaign_daily") }}

    union all

    select min(created_date) as first_date
    from {{ ref("fct_lead") }}

    union all

    select min(opened_date) as first_date
    from {{ ref("fct_opportunity") }}

    union all

    select as_of_date as first_date
    from run_parameter

),

first_day as (

    select min(first_date) as first_date
    from first_days

),

final as (

    select
        calendar_days.day as day_date,
        calendar_days.week_start as week_start_date,
        calendar_days.month_start as month_start_date,
        calendar_days.quarter_start as quarter_start_date,
        calendar_days.year_start as year_start_date,
        calendar_days.starts_at,
        calendar_days.ends_at
    from calendar_days
    cross join first_day
    cross join run_parameter
    where
        calendar_days.year_end > first_day.first_date
        and calendar_days.year_start <= run_parameter.as_of_date

)

select * from final
