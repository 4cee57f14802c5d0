/*
id: G3
title: Leads are handed off within the plan's hours
meaning: >
  Each handoff of the plan says within how many hours a lead is to be worked: accepted, rejected
  with a reason, or sent elsewhere, but not left lying. In every month that is over, the plan's
  share of the leads must have been worked in time, nine in ten where it names none. Hours are
  business hours where the plan states them; leads that Sales entered, imports and backdated leads
  are left out. The leads are counted anew from the books.
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
-- The share is taken anew from the counts: the one stored beside them is for reading. The counts
-- are taken anew from the stages of the leads, by a way of this law's own.
with

versions as (

    select
        version,
        effective_from as begins,
        coalesce(lead(effective_from) over (order by effective_from, version), date '9999-12-31')
            as ends
    from audit.plan_version
    where is_signed

),

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
        lines.version,
        lines.metric,
        lines.sla_hours,
        kpis.from_stage,
        coalesce(stages.counts, 'first') as counts,
        ordinals.ordinal
    from lines
    inner join main.dim_kpi as kpis
        on
            lines.metric = kpis.metric
            and kpis.kind = 'rate'
    inner join main.dim_stage as ordinals on kpis.from_stage = ordinals.stage
    left join audit.plan_stage as stages
        on
            lines.version = stages.version
            and kpis.from_stage = stages.stage
    where
        lines.preference = 1
        and lines.sla_hours is not null

),

-- Who tells no time.
in_bulk as (

    select leads.lead_id
    from main.fct_lead as leads
    where date_trunc('second', leads.created_at) <> date_trunc('day', leads.created_at)
    qualify count(*) over (partition by leads.feed, date_trunc('second', leads.created_at)) >= 10

),

left_out as (

    select lead_id
    from main.fct_lead
    where first_sal_at - created_at <= interval 60 second

    union

    select lead_id
    from main.fct_lead_stage__interval
    where is_time_estimated and 'mql' in (stage, from_stage)

    union

    select in_bulk.lead_id
    from in_bulk
    inner join main.fct_lead as leads on in_bulk.lead_id = leads.lead_id
    cross join audit.run
    where
        extract(
            epoch from timezone(run.time_zone, timezone('UTC', leads.created_at))
        ) % 86400 >= 1

),

entries as (

    select
        intervals.lead_id,
        intervals.stage,
        intervals.entered_at,
        intervals.left_at,
        coalesce(intervals.left_at, run.as_of) as until_at,
        floor(epoch(intervals.entered_at)) as entered_epoch,
        floor(epoch(coalesce(intervals.left_at, run.as_of))) as left_epoch,
        cast(timezone(run.time_zone, timezone('UTC', intervals.entered_at)) as date) as day,
        coalesce(max(case when stages.kind = 'funnel' then stages.ordinal end) over (
            partition by intervals.lead_id
            order by intervals.entry_number
            rows between unbounded preceding and 1 preceding
        ), 0) as furthest_before,
        count(*) over (
            partition by intervals.lead_id, intervals.stage
            order by intervals.entry_number
            rows between 1 following and unbounded following
        ) as entries_after
    from main.fct_lead_stage__interval as intervals
    inner join main.dim_stage as stages on intervals.stage = stages.stage
    cross join audit.run

),

worked_days as (

    select
        version,
        opens_at,
        epoch(opens_at) as opens,
        epoch(closes_at) - epoch(opens_at) as length,
        coalesce(sum(epoch(closes_at) - epoch(opens_at)) over (
            partition by version
            order by opens_at
            rows between unbounded preceding and 1 preceding
        ), 0) as before
    from audit.plan_business_day

),

timed as (

    select
        handoffs.version,
        periods.period,
        handoffs.metric,
        entries.left_at is null as is_open,
        left_out.lead_id is not null as is_left_out,
        coalesce(
            last_day.before + least(entries.left_epoch - last_day.opens, last_day.length)
            - first_day.before - least(entries.entered_epoch - first_day.opens, first_day.length),
            entries.left_epoch - entries.entered_epoch
        ) > handoffs.sla_hours * 3600 as is_late
    from entries
    inner join versions
        on
            entries.day >= versions.begins
            and entries.day < versions.ends
    inner join handoffs
        on
            versions.version = handoffs.version
            and entries.stage = handoffs.from_stage
            and (
                handoffs.counts = 'every'
                or (handoffs.counts = 'first' and entries.furthest_before < handoffs.ordinal)
                or (handoffs.counts = 'latest' and entries.entries_after = 0)
            )
    inner join audit.plan_period as periods
        on
            versions.version = periods.version
            and periods.period_kind = 'month'
            and entries.day >= periods.period_start_date
            and entries.day < periods.period_end_date
    left join left_out on entries.lead_id = left_out.lead_id
    asof left join worked_days as first_day
        on
            versions.version = first_day.version
            and entries.entered_at >= first_day.opens_at
    asof left join worked_days as last_day
        on
            versions.version = last_day.version
            and entries.until_at >= last_day.opens_at

),

recounted as (

    select
        version,
        period,
        metric,
        count(*) filter (where not is_left_out) as leads,
        count(*) filter (where not is_left_out and not is_late and not is_open) as in_time,
        count(*) filter (where not is_left_out and is_late) as late
    from timed
    group by version, period, metric

),

final as (

    select
        cast(null as varchar) as feed,
        case
            when
                reported.leads is distinct from reported.in_time + reported.late + reported.waiting
                then 'its leads do not add up'
            when
                reported.leads is distinct from recounted.leads
                or reported.in_time is distinct from recounted.in_time
                or reported.late is distinct from recounted.late
                then 'the books count other leads'
            else 'too few leads were worked in time'
        end as problem,
        coalesce(reported.plan_version, recounted.version) as version,
        coalesce(reported.period, recounted.period) as period,
        reported.scope,
        coalesce(reported.metric, recounted.metric) as metric,
        reported.sla_hours,
        reported.clock,
        reported.leads,
        reported.in_time,
        reported.late,
        recounted.leads as leads_in_books,
        recounted.in_time as in_time_in_books,
        recounted.late as late_in_books,
        reported.in_time_share_pct,
        reported.planned_share_pct,
        reported.owner
    from main.rpt_handoff_sla__metric_period as reported
    full join recounted
        on
            reported.plan_version = recounted.version
            and reported.period = recounted.period
            and reported.metric = recounted.metric
    where
        reported.leads is distinct from reported.in_time + reported.late + reported.waiting
        or reported.leads is distinct from recounted.leads
        or reported.in_time is distinct from recounted.in_time
        or reported.late is distinct from recounted.late
        or (
            reported.is_complete
            and reported.in_time * 100 < reported.planned_share_pct * reported.leads
        )
    order by reported.period_start_date, coalesce(reported.metric, recounted.metric)

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
