-- What the plan asks of each KPI, by the version and the days on which it is in force.
-- Grain: plan_version, period, scope, metric; only versions that are in force on a day of it.
-- `plan_in_force_value` and `plan_to_date_value` of counts and amounts add up over versions, and
-- over scopes and periods of one level; rates, prices and days (is_additive false) never do.

with

plan as (

    select * from {{ ref("int_plan__kpi_period") }}

),

final as (

    select
        -- ids
        version as plan_version,
        period,
        scope,
        metric,
        -- text
        period_kind,
        kind,
        unit,
        owner,
        owner_department,
        curve,
        -- numbers
        plan_value,
        plan_in_force_value,
        plan_to_date_value,
        in_force_share,
        to_date_share,
        tolerance_pct,
        cadence_days,
        window_days,
        -- booleans
        is_additive,
        -- times
        period_start_date,
        period_end_date,
        in_force_from as in_force_from_date,
        in_force_to as in_force_to_date
    from plan

)

select * from final
