-- The one rate of each currency for constant-currency views: what is left when rates stand still.
-- Grain: currency. The reporting currency itself is 1, always.
-- The plan's own rate where the version in force on the day of as_of has one, else the last day's
-- rate known by then, however old. A currency that has neither is not here.

with

intervals as (

    select * from {{ ref("int_fx_rate__interval") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}
    where is_in_force_today

),

plan_rates as (

    select * from {{ ref("int_plan__reporting_rate") }}

),

run_parameter as (

    select
        reporting_currency,
        {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

candidates as (

    select
        run_parameter.reporting_currency as currency,
        cast(1 as decimal(18, 9)) as rate,
        1 as precedence,
        run_parameter.as_of_date as valid_from
    from run_parameter

    union all

    select
        plan_rates.currency,
        plan_rates.rate,
        2 as precedence,
        versions.in_force_from as valid_from
    from plan_rates
    inner join versions on plan_rates.version = versions.version

    union all

    select
        intervals.currency,
        intervals.rate,
        3 as precedence,
        intervals.valid_from
    from intervals
    cross join run_parameter
    where intervals.valid_from <= run_parameter.as_of_date

),

ranked as (

    select
        currency,
        rate,
        row_number() over (
            partition by currency
            order by precedence asc, valid_from desc
        ) as preference
    from candidates

),

final as (

    select
        currency,
        rate
    from ranked
    where preference = 1

)

select * from final
