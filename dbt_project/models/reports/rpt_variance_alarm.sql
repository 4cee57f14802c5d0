-- The alarms that open a variance item: of a handoff's rate, and of the pipeline's velocity.
-- Grain: period, scope, metric.
-- A handoff is a transition that the plan gives an owner of neither Marketing nor Sales; a rate
-- inside one department has its own KPI's items. A drift alarm stands for good: the rate of that
-- period is disproved. A velocity alarm belongs to the quarter (else the year) of the plan in which
-- it was raised, and stands until a week ends without it; of several in a quarter the latest
-- counts. Both are answered by the handoff's owner.

with

drift as (

    select * from {{ ref("rpt_drift__cohort_transition") }}
    where is_alarm

),

velocity as (

    select * from {{ ref("rpt_velocity__segment_week") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}

),

plan_periods as (

    select * from {{ ref("stg_landed__plan_period") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

velocity_runs as (

    select
        scope,
        alarmed_at,
        max(measured_at) as last_measured_at
    from velocity
    where is_alarm
    group by scope, alarmed_at

),

velocity_ended as (

    select
        velocity_runs.scope,
        velocity_runs.alarmed_at,
        velocity_runs.last_measured_at,
        min(velocity.measured_at) as ended_at
    from velocity_runs
    left join velocity
        on
            velocity_runs.scope = velocity.scope
            and velocity_runs.last_measured_at < velocity.measured_at
    group by velocity_runs.scope, velocity_runs.alarmed_at, velocity_runs.last_measured_at

),

raised as (

    select
        'drift' as kind,
        drift.period,
        drift.scope,
        drift.metric,
        'rate' as unit,
        cast(drift.expected_rate as decimal(38, 9)) as plan_value,
        cast(drift.actual_rate as decimal(38, 9)) as actual_value,
        drift.alarmed_at,
        {{ local_date("drift.alarmed_at", "run_parameter.time_zone") }} as opened_date,
        cast(null as date) as within_date
    from drift
    cross join run_parameter

    union all

    select
        'velocity' as kind,
        cast(null as varchar) as period,
        velocity_ended.scope,
        'velocity' as metric,
        'minor' as unit,
        cast(latest.planned_velocity_minor as decimal(38, 9)) as plan_value,
        cast(latest.velocity_minor as decimal(38, 9)) as actual_value,
        velocity_ended.alarmed_at,
        {{ local_date("velocity_ended.alarmed_at", "run_parameter.time_zone") }} as opened_date,
        {{ local_date("velocity_ended.ended_at", "run_parameter.time_zone") }} as within_date
    from velocity_ended
    inner join velocity as latest
        on
            velocity_ended.scope = latest.scope
            and velocity_ended.last_measured_at = latest.measured_at
    cross join run_parameter

),

versioned as (

    select
        raised.kind,
        raised.scope,
        raised.metric,
        raised.unit,
        raised.plan_value,
        raised.actual_value,
        raised.alarmed_at,
        raised.opened_date,
        raised.within_date,
        versions.version,
        plan_periods.period,
        plan_periods.period_end_date,
        row_number() over (
            partition by raised.kind, raised.scope, raised.metric, raised.period, raised.alarmed_at
            order by
                case when plan_periods.version = versions.version then 1 else 2 end,
                case plan_periods.period_kind when 'quarter' then 1 else 2 end,
                plan_periods.version
        ) as preference
    from raised
    inner join versions
        on
            raised.opened_date >= versions.in_force_from
            and raised.opened_date < versions.in_force_to
    inner join plan_periods
        on
            raised.period = plan_periods.period
            or (
                raised.period is null
                and versions.version = plan_periods.version
                and plan_periods.period_kind in ('quarter', 'year')
                and raised.opened_date >= plan_periods.period_start_date
                and raised.opened_date < plan_periods.period_end_date
            )

),

-- The scope's own owner or, of a campaign that is only committed to, the company's.
owned as (

    select
        versioned.*,
        coalesce(own.owner, company.owner) as owner,
        case when own.scope is null then company.owner_department else own.owner_department end
            as owner_department,
        coalesce(own.cadence_days, company.cadence_days) as cadence_days,
        row_number() over (
            partition by versioned.period, versioned.scope, versioned.metric
            order by versioned.alarmed_at desc
        ) as recency
    from versioned
    left join settings as own
        on
            versioned.version = own.version
            and versioned.scope = own.scope
            and own.metric
            = case versioned.kind when 'drift' then versioned.metric else 'rate_mql_sal' end
    left join settings as company
        on
            versioned.version = company.version
            and company.scope = 'company'
            and company.metric
            = case versioned.kind when 'drift' then versioned.metric else 'rate_mql_sal' end
    where versioned.preference = 1

),

final as (

    select
        -- ids
        period,
        scope,
        metric,
        -- text
        kind,
        unit,
        owner,
        owner_department,
        -- numbers
        plan_value,
        actual_value,
        cadence_days,
        -- times
        opened_date,
        within_date,
        period_end_date,
        alarmed_at
    from owned
    where
        recency = 1
        and (
            kind = 'velocity'
            or coalesce(owner_department not in ('marketing', 'sales'), false)
        )

)

select * from final
