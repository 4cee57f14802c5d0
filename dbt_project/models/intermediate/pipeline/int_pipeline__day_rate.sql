-- The rates that opportunities are valued at: of each day on which one was opened or closed, and of
-- today.
-- Grain: day, currency. `carried_rate` is what a deal opened that day is carried at: the plan's, if
-- the policy of the version in force that day says so and it has one, else the day's. `won_rate` is
-- the plan's for what is won that day, if the policy says so. Null: there is none.

with

states as (

    select * from {{ ref("int_opportunity__state") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

plan_rates as (

    select * from {{ ref("int_plan__reporting_rate") }}

),

rates as (

    select * from {{ ref("int_fx_rate__interval") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

needed as (

    select
        opened_date as day,
        currency
    from states

    union

    select
        opened_date as day,
        stated_currency as currency
    from states

    union

    select
        closed_date as day,
        currency
    from states
    where outcome <> 'open'

    union

    select
        close_date as day,
        currency
    from states
    where outcome <> 'open'

    union

    select
        {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }} as day,
        states.currency
    from states
    cross join run_parameter

),

final as (

    select
        needed.day,
        needed.currency,
        rates.rate,
        case
            when versions.pipeline_rate = 'plan' then coalesce(plan_rates.rate, rates.rate)
            else rates.rate
        end as carried_rate,
        case when versions.won_rate = 'plan' then plan_rates.rate end as won_rate
    from needed
    left join rates
        on
            needed.currency = rates.currency
            and needed.day >= rates.valid_from
            and needed.day < rates.valid_to
    left join versions
        on
            needed.day >= versions.in_force_from
            and needed.day < versions.in_force_to
    left join plan_rates
        on
            versions.version = plan_rates.version
            and needed.currency = plan_rates.currency
    where
        needed.day is not null
        and needed.currency is not null

)

select * from final
