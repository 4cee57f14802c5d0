-- What spend of each day is converted at: the rate of the day, or the plan's where the policy of
-- the version in force that day says so and that version has one.
-- Grain: currency, day. Only days on which something was spent in the currency; a row without a
-- rate is a rate that is missing (law B9).

with

landed_versions as (

    select * from {{ ref("int_spend__landed_version") }}

),

intervals as (

    select * from {{ ref("int_fx_rate__interval") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}
    where spend_rate = 'plan'

),

plan_rates as (

    select * from {{ ref("int_plan__reporting_rate") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

needed as (

    select distinct
        currency,
        spend_date as day
    from landed_versions

),

-- The reporting currency is 1 under every policy, and at the rate of the day by name.
with_rates as (

    select
        needed.currency,
        needed.day,
        intervals.rate as market_rate,
        case when needed.currency <> run_parameter.reporting_currency then plan_rates.rate end
            as plan_rate,
        plan_rates.version,
        currencies.exponent,
        reporting.exponent as reporting_exponent
    from needed
    cross join run_parameter
    left join currencies on needed.currency = currencies.currency
    left join currencies as reporting on run_parameter.reporting_currency = reporting.currency
    left join intervals
        on
            needed.currency = intervals.currency
            and needed.day >= intervals.valid_from
            and needed.day < intervals.valid_to
    left join versions
        on
            needed.day >= versions.in_force_from
            and needed.day < versions.in_force_to
    left join plan_rates
        on
            versions.version = plan_rates.version
            and needed.currency = plan_rates.currency

),

chosen as (

    select
        *,
        coalesce(plan_rate, market_rate) as rate
    from with_rates

),

final as (

    select
        currency,
        day,
        case
            when plan_rate is not null then 'plan'
            when market_rate is not null then 'market'
        end as basis,
        case when plan_rate is not null then version end as plan_version,
        market_rate,
        rate,
        {{ minor_rate("rate", "exponent", "reporting_exponent") }} as minor_rate
    from chosen

)

select * from final
