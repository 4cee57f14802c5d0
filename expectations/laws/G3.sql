/*
id: G3
title: Leads are handed off within the plan's hours
meaning: >
  Each handoff of the plan says within how many hours a lead is to be worked: accepted, rejected
  with a reason, or sent elsewhere, but not left lying. In every month that is over, the plan's
  share of the leads must have been worked in time, nine in ten where it names none.
severity: warn
unit: rows
forgivable: false
waivable: true
owner: The owner of the handoff named in the row
what_to_do: >
  Look at the leads that stood in the stage for longer than the hours in the row: whose they were,
  and when they came. A month that is over cannot be put right: both departments can waive it, with
  a reason, and change the hours or the staffing by an amendment of the plan.
*/

-- query: applies
-- Leads that entered such a stage on a planned day must be in the report: an emptied one is no
-- reason not to judge. A day is left out at either end, since days here are those of UTC.
with

lines as (

    select
        lines.version,
        lines.metric,
        lines.sla_hours,
        row_number() over (
            partition by lines.version, lines.metric
            order by lines.scope is null, lines.sheet_row
        ) as preference
    from audit.plan_kpi as lines
    inner join audit.plan_scope as tops
        on
            lines.version = tops.version
            and tops.parent_scope is null
            and coalesce(lines.scope, tops.scope) = tops.scope

),

handoffs as (

    select
        kpis.from_stage,
        versions.effective_from,
        coalesce(versions.effective_to, date '9999-12-31') as effective_to,
        periods.period_start_date,
        periods.period_end_date
    from audit.plan_version as versions
    inner join lines
        on versions.version = lines.version
    inner join main.dim_kpi as kpis
        on lines.metric = kpis.metric
    inner join audit.plan_period as periods
        on
            versions.version = periods.version
            and periods.period_kind = 'month'
    where
        versions.is_signed
        and lines.preference = 1
        and lines.sla_hours is not null
        and kpis.kind = 'rate'

),

entries as (

    select count(*) as leads
    from handoffs
    inner join main.fct_lead_stage__interval as intervals
        on
            handoffs.from_stage = intervals.stage
            and intervals.entered_at >= handoffs.period_start_date + interval 1 day
            and intervals.entered_at >= handoffs.effective_from + interval 1 day
            and intervals.entered_at < handoffs.period_end_date - interval 1 day
            and intervals.entered_at < handoffs.effective_to - interval 1 day

),

facts as (

    select
        (select count(*) from audit.plan_version)
        + (select count(*) from audit.plan_problem) as plan_rows,
        (select count(*) from handoffs) as handoffs,
        (select leads from entries) as leads,
        count(*) as months,
        count(*) filter (where is_complete) as complete_months
    from main.rpt_handoff_sla__metric_period

),

final as (

    select
        case
            when plan_rows = 0 then 'no plan'
            when handoffs = 0 then 'no handoff has hours'
            when months = 0 then 'no lead has reached a handoff'
            else 'no month with a handoff is complete'
        end as reason
    from facts
    where
        plan_rows = 0
        or handoffs = 0
        or (months = 0 and leads = 0)
        or (months > 0 and complete_months = 0)

)

select * from final;

-- query: measure
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        count(*) filter (where is_complete) as checked
    from main.rpt_handoff_sla__metric_period

)

select * from final;

-- query: offenders
-- The share is taken anew from the counts: the one stored beside them is for reading.
with

final as (

    select
        cast(null as varchar) as feed,
        case
            when leads is distinct from in_time + late + waiting then 'its leads do not add up'
            else 'too few leads were worked in time'
        end as problem,
        plan_version as version,
        period,
        scope,
        metric,
        sla_hours,
        leads,
        in_time,
        late,
        in_time_share_pct,
        planned_share_pct,
        owner
    from main.rpt_handoff_sla__metric_period
    where
        leads is distinct from in_time + late + waiting
        or (is_complete and in_time * 100 < planned_share_pct * leads)
    order by period_start_date, metric

)

select * from final;

-- query: severity
-- As the plan in force says.
with

in_force as (

    select versions.version
    from audit.plan_version as versions
    cross join audit.run
    where
        versions.is_signed
        and versions.effective_from <= run.as_of_date
    order by versions.effective_from desc, versions.version desc
    limit 1

),

final as (

    select policies.handoff_policy as severity
    from audit.plan_policy as policies
    inner join in_force on policies.version = in_force.version

)

select * from final;
