-- How many leads were worked within the hours that the plan allows for a handoff, month by month.
-- Grain: plan_version, period (a month of the plan's calendar), metric (the transition).
-- A lead is worked when it leaves the stage, any way. Leads that skipped the stage never waited in
-- it and are left out. So are those that Sales entered and, whose times mean nothing, imported and
-- backdated ones: they are counted as left_out alone. Leads add up over anything; shares do not.
-- Hours are business hours where the version states them, else they run day and night.

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}
    where
        scope = 'company'
        and sla_hours is not null

),

periods as (

    select * from {{ ref("stg_landed__plan_period") }}
    where period_kind = 'month'

),

kpis as (

    select * from {{ ref("kpis") }}
    where kind = 'rate'

),

entries as (

    select * from {{ ref("int_kpi__lead_entry") }}
    where not is_skipped

),

intervals as (

    select * from {{ ref("int_handoff__interval") }}

),

origins as (

    select * from {{ ref("int_handoff__origin") }}

),

run_parameter as (

    select
        as_of,
        {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

timed as (

    select
        entries.version,
        periods.period,
        settings.scope,
        kpis.metric,
        kpis.from_stage,
        kpis.to_stage,
        settings.owner,
        settings.owner_department,
        settings.sla_hours,
        coalesce(versions.handoff_share_pct, 90) as planned_share_pct,
        periods.period_start_date,
        periods.period_end_date,
        least(periods.period_end_date, versions.in_force_to) <= run_parameter.as_of_date
            as is_over,
        case when intervals.business_seconds is null then 'elapsed' else 'business' end as clock,
        case
            when not origins.is_timed then 'left out'
            when
                coalesce(intervals.business_seconds, intervals.elapsed_seconds)
                > settings.sla_hours * 3600
                then 'late'
            when entries.left_at is null then 'waiting'
            else 'in time'
        end as outcome
    from entries
    inner join intervals
        on
            entries.lead_id = intervals.lead_id
            and entries.entry_number = intervals.entry_number
    inner join origins on entries.lead_id = origins.lead_id
    inner join versions on entries.version = versions.version
    inner join kpis on entries.stage = kpis.from_stage
    inner join settings
        on
            entries.version = settings.version
            and kpis.metric = settings.metric
    inner join periods
        on
            entries.version = periods.version
            and entries.entered_date >= periods.period_start_date
            and entries.entered_date < periods.period_end_date
    cross join run_parameter

),

counted as (

    select
        version,
        period,
        scope,
        metric,
        from_stage,
        to_stage,
        owner,
        owner_department,
        sla_hours,
        planned_share_pct,
        period_start_date,
        period_end_date,
        is_over,
        max(clock) as clock,
        count(case when outcome <> 'left out' then 1 end) as leads,
        count(case when outcome = 'left out' then 1 end) as left_out,
        count(case when outcome = 'in time' then 1 end) as in_time,
        count(case when outcome = 'late' then 1 end) as late,
        count(case when outcome = 'waiting' then 1 end) as waiting
    from timed
    group by
        version,
        period,
        scope,
        metric,
        from_stage,
        to_stage,
        owner,
        owner_department,
        sla_hours,
        planned_share_pct,
        period_start_date,
        period_end_date,
        is_over

),

final as (

    select
        -- ids
        version as plan_version,
        period,
        scope,
        metric,
        -- text
        from_stage,
        to_stage,
        owner,
        owner_department,
        clock,
        -- numbers
        sla_hours,
        cast(planned_share_pct as decimal(38, 9)) as planned_share_pct,
        leads,
        left_out,
        in_time,
        late,
        waiting,
        {{ quotient("in_time * 100", "in_time + late") }} as in_time_share_pct,
        -- booleans
        is_over and waiting = 0 as is_complete,
        -- times
        period_start_date,
        period_end_date
    from counted

)

select * from final
