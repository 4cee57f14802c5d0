-- The plan's own exchange rates, to the reporting currency.
-- Grain: version, currency. Only versions that have a rate of the reporting currency.

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

rates as (

    select * from {{ ref("stg_landed__plan_rate") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

-- Where the plan is in the reporting currency that rate is 1, and dividing by it changes nothing.
final as (

    select
        versions.version,
        rates.currency,
        cast(rates.rate / reporting.rate as decimal(18, 9)) as rate
    from versions
    cross join run_parameter
    inner join rates on versions.version = rates.version
    inner join rates as reporting
        on
            versions.version = reporting.version
            and run_parameter.reporting_currency = reporting.currency

)

select * from final
