-- The exchange rates that the books were converted at, so that anyone can do it again.
-- Grain: basis, currency, valid_from_date. Basis: market, the day's rate with the days it holds
-- for; plan, the plan's own while its version is in force; constant, the one rate of
-- constant-currency views. Only currencies that occur. A day in no interval has no rate.
-- Amount = native minor units × rate × 10^(exponent of the reporting currency - exponent), rounded
-- once to whole minor units, halves away from zero.

with

intervals as (

    select * from {{ ref("int_fx_rate__interval") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

plan_rates as (

    select * from {{ ref("int_plan__reporting_rate") }}

),

constant_rates as (

    select * from {{ ref("int_currency__constant_rate") }}

),

spend_rates as (

    select * from {{ ref("int_currency__spend_rate") }}

),

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

opportunity_events as (

    select * from {{ ref("stg_landed__opportunity_event") }}

),

revenue as (

    select * from {{ ref("stg_landed__revenue") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

occurring as (

    select currency from spend_rates

    union

    select currency from opportunities

    union

    select currency from opportunity_events

    union

    select currency from revenue

    union

    select reporting_currency as currency from run_parameter

),

rates as (

    select
        'market' as basis,
        cast(null as bigint) as plan_version,
        currency,
        valid_from as valid_from_date,
        valid_to as valid_to_date,
        rate
    from intervals

    union all

    select
        'plan' as basis,
        plan_rates.version as plan_version,
        plan_rates.currency,
        versions.in_force_from as valid_from_date,
        versions.in_force_to as valid_to_date,
        plan_rates.rate
    from plan_rates
    inner join versions on plan_rates.version = versions.version

    union all

    select
        'constant' as basis,
        cast(null as bigint) as plan_version,
        currency,
        cast('0001-01-01' as date) as valid_from_date,
        cast('9999-12-31' as date) as valid_to_date,
        rate
    from constant_rates

),

final as (

    select
        -- ids
        rates.plan_version,
        -- text
        rates.basis,
        rates.currency,
        -- numbers
        cast(currencies.exponent as bigint) as exponent,
        rates.rate,
        -- times
        rates.valid_from_date,
        rates.valid_to_date
    from rates
    inner join occurring on rates.currency = occurring.currency
    left join currencies on rates.currency = currencies.currency

)

select * from final
