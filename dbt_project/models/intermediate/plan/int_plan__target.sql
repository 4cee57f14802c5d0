-- The targets of the versions that count, in the units of their KPIs.
-- Grain: version, period, scope, metric.
-- Money is in minor units of the reporting currency, at the plan's own rate: amounts whole, prices
-- (cost per lead, ACV) not rounded. A plan without a rate to the reporting currency has no money to
-- compare with the books (law P5 says so).

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

targets as (

    select * from {{ ref("stg_landed__plan_target") }}

),

kpis as (

    select * from {{ ref("kpis") }}

),

rates as (

    select * from {{ ref("int_plan__reporting_rate") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

in_minor_units as (

    select
        targets.version,
        targets.period,
        targets.scope,
        targets.metric,
        targets.sheet_row,
        kpis.unit,
        kpis.kind,
        kpis.is_additive,
        targets.value,
        cast(
            targets.value
            * cast(
                rates.rate * cast({{ power_of_ten("currencies.exponent") }} as decimal(5, 0))
                as decimal(20, 9)
            )
            as decimal(38, 9)
        ) as value_minor
    from versions
    inner join targets on versions.version = targets.version
    inner join kpis on targets.metric = kpis.metric
    cross join run_parameter
    inner join currencies on run_parameter.reporting_currency = currencies.currency
    left join rates
        on
            versions.version = rates.version
            and versions.currency = rates.currency

),

final as (

    select
        version,
        period,
        scope,
        metric,
        sheet_row,
        unit,
        kind,
        is_additive,
        case
            -- Cast, or the others would be rounded as well: round() gives decimal(38, 0).
            when unit = 'minor' and is_additive then cast(round(value_minor, 0) as decimal(38, 9))
            when unit = 'minor' then value_minor
            else value
        end as plan_value
    from in_minor_units
    where
        unit <> 'minor'
        or value_minor is not null

)

select * from final
