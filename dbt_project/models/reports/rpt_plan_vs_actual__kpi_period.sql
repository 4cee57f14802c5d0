-- Plan against actuals of every KPI, each day of the period by the version in force on it.
-- Grain: period, scope, metric; rpt_plan_vs_actual__kpi_version has the versions one by one.
-- A rate's plan is that of the versions, weighted by the leads each judges. Counts and amounts add
-- up over periods and scopes of one level; rates, prices and days are `numerator` / `denominator`.

with

periods as (

    select * from {{ ref("int_plan_vs_actual__kpi_period") }}

),

final as (

    select
        -- ids
        periods.period,
        periods.scope,
        periods.metric,
        -- text
        periods.period_kind,
        periods.kind,
        periods.unit,
        periods.plan_versions,
        periods.status,
        coalesce(activity.status, 'not planned') as activity_status,
        coalesce(worth.status, 'not planned') as value_status,
        periods.owner,
        periods.owner_department,
        -- numbers
        periods.plan_value,
        periods.plan_due_value as plan_to_date_value,
        {{ actual_value("periods") }} as actual_value,
        {{ actual_value("periods") }} - periods.plan_due_value as variance_value,
        {{ variance_pct("periods") }} as variance_pct,
        periods.variance_minor,
        case when periods.is_counted then periods.numerator end as numerator,
        case when periods.is_counted and not periods.is_additive then periods.denominator end
            as denominator,
        periods.without_amount,
        periods.tolerance_pct,
        periods.cadence_days,
        -- booleans
        periods.versions > 1 as is_amended,
        periods.is_outside_tolerance,
        periods.is_beyond_chance,
        periods.is_open or periods.waiting > 0 as is_provisional,
        -- times
        periods.period_start_date,
        periods.period_end_date
    from periods
    left join periods as activity
        on
            periods.period = activity.period
            and periods.scope = activity.scope
            and periods.activity_metric = activity.metric
    left join periods as worth
        on
            periods.period = worth.period
            and periods.scope = worth.scope
            and periods.value_metric = worth.metric

)

select * from final
