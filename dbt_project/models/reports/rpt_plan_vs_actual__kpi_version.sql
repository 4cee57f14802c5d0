-- Plan against actuals, each version of the plan for the days on which it was in force.
-- Grain: plan_version, period, scope, metric; the parts of rpt_plan_vs_actual__kpi_period.
-- Counts and amounts, and all of `numerator`, `denominator` and `variance_minor`, add up over
-- versions; rates, prices and days are `numerator` / `denominator`.

with

parts as (

    select * from {{ ref("int_plan_vs_actual__kpi_version") }}

),

final as (

    select
        -- ids
        parts.version as plan_version,
        parts.period,
        parts.scope,
        parts.metric,
        -- text
        parts.period_kind,
        parts.kind,
        parts.unit,
        parts.status,
        coalesce(activity.status, 'not planned') as activity_status,
        coalesce(worth.status, 'not planned') as value_status,
        parts.owner,
        parts.owner_department,
        -- numbers
        parts.plan_in_force_value as plan_value,
        parts.plan_to_date_value,
        {{ actual_value("parts") }} as actual_value,
        {{ actual_value("parts") }} - parts.plan_to_date_value as variance_value,
        {{ variance_pct("parts") }} as variance_pct,
        parts.variance_minor,
        case when parts.is_counted then parts.numerator end as numerator,
        case when parts.is_counted and not parts.is_additive then parts.denominator end
            as denominator,
        parts.without_amount,
        parts.tolerance_pct,
        -- booleans
        parts.is_outside_tolerance,
        parts.is_beyond_chance,
        parts.is_open or parts.waiting > 0 as is_provisional,
        -- times
        parts.period_start_date,
        parts.period_end_date,
        parts.in_force_from as in_force_from_date,
        parts.in_force_to as in_force_to_date
    from parts
    left join parts as activity
        on
            parts.version = activity.version
            and parts.period = activity.period
            and parts.scope = activity.scope
            and parts.activity_metric = activity.metric
    left join parts as worth
        on
            parts.version = worth.version
            and parts.period = worth.period
            and parts.scope = worth.scope
            and parts.value_metric = worth.metric

)

select * from final
