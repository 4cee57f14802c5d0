/*
id: G2
title: No variance item is overdue
meaning: >
  A KPI that leaves its tolerance opens an item, and its owner owes why, what is done about it and
  until when, within the cadence that the plan gives. So does an alarm: of the rate of a handoff
  that belongs to neither Marketing nor Sales, and of the pipeline's velocity. An item is overdue
  when that answer is missing, or when the date it named has passed and the KPI is still outside.
severity: warn
unit: rows
forgivable: false
waivable: true
owner: The owner of the KPI named in the row
what_to_do: >
  Answer with `tieout note` and the item's id: why it missed, what is done, until when. If the
  period is over and nothing more can be done, the note can close the item. If the date you named
  has passed, say what is different now and set a new one.
*/

-- query: applies
with

facts as (

    select
        (select count(*) from audit.plan_version)
        + (select count(*) from audit.plan_problem) as plan_rows,
        (
            select count(*)
            from audit.plan_target as targets
            inner join audit.plan_version as versions
                on targets.version = versions.version
            inner join audit.plan_period as periods
                on
                    targets.version = periods.version
                    and targets.period = periods.period
            cross join audit.run
            where
                versions.is_signed
                and versions.effective_from <= run.as_of_date
                and versions.effective_from < periods.period_end_date
        ) as targets_in_force

),

final as (

    select case when plan_rows = 0 then 'no plan' else 'no target is in force' end as reason
    from facts
    where plan_rows = 0 or targets_in_force = 0

)

select * from final;

-- query: measure
-- What was looked at are the KPIs, not the items: no item is good news.
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        count(*) as checked
    from main.rpt_plan_vs_actual__kpi_period

)

select * from final;

-- query: offenders
with

overdue as (

    select
        case
            when items.notes = 0 then 'nobody has said why, and what is done'
            when items.action_due_date < run.as_of_date
                then 'the date named in its note has passed'
            else 'its notes are from before it opened'
        end as problem,
        items.item_id,
        items.period,
        items.scope,
        items.metric,
        items.variance_pct,
        items.variance_minor,
        run.reporting_currency as currency,
        items.owner,
        items.opened_date,
        coalesce(items.action_due_date, items.due_date) as due_date
    from main.rpt_variance_item as items
    cross join audit.run
    where items.status = 'overdue'

),

-- An item that was deleted must not pass for a KPI within its tolerance.
without_item as (

    select
        'it is outside its tolerance and has no item' as problem,
        cast(null as varchar) as item_id,
        kpis.period,
        kpis.scope,
        kpis.metric,
        kpis.variance_pct,
        kpis.variance_minor,
        run.reporting_currency as currency,
        kpis.owner,
        cast(null as date) as opened_date,
        cast(null as date) as due_date
    from main.rpt_plan_vs_actual__kpi_period as kpis
    cross join audit.run
    left join main.rpt_variance_item as items
        on
            kpis.period = items.period
            and kpis.scope = items.scope
            and kpis.metric = items.metric
            and (items.status <> 'closed' or not items.is_period_open)
    where
        kpis.is_outside_tolerance
        and items.item_id is null

),

-- Nor must that of an alarm. The owner is that of the narrower line, by the newest version.
handoff_lines as (

    select
        lines.metric,
        lines.scope,
        lines.owner,
        lines.owner_department
    from audit.plan_kpi as lines
    inner join audit.plan_version as versions
        on
            lines.version = versions.version
            and versions.is_signed
    qualify row_number() over (
        partition by lines.metric, lines.scope
        order by versions.effective_from desc, versions.version desc, lines.sheet_row
    ) = 1

),

alarms as (

    select
        drift.period,
        drift.scope,
        drift.metric,
        coalesce(own.owner, common.owner, tops.owner) as owner
    from main.rpt_drift__cohort_transition as drift
    left join handoff_lines as own
        on
            drift.metric = own.metric
            and drift.scope = own.scope
    left join handoff_lines as common
        on
            drift.metric = common.metric
            and common.scope is null
    left join handoff_lines as tops
        on
            drift.metric = tops.metric
            and tops.scope = 'company'
    where
        drift.is_alarm
        and drift.metric = 'rate_mql_sal'
        and coalesce(own.owner_department, common.owner_department, tops.owner_department)
        not in ('marketing', 'sales')

    union all

    select
        cast(null as varchar) as period,
        scope,
        'velocity' as metric,
        owner
    from main.rpt_velocity__segment_week
    where is_alarm
    qualify week_start_date = max(week_start_date) over (partition by scope)

),

alarms_without_item as (

    select
        'it raised an alarm and has no item' as problem,
        cast(null as varchar) as item_id,
        alarms.period,
        alarms.scope,
        alarms.metric,
        cast(null as decimal(18, 2)) as variance_pct,
        cast(null as bigint) as variance_minor,
        run.reporting_currency as currency,
        alarms.owner,
        cast(null as date) as opened_date,
        cast(null as date) as due_date
    from alarms
    cross join audit.run
    left join main.rpt_variance_item as items
        on
            alarms.scope = items.scope
            and alarms.metric = items.metric
            and coalesce(alarms.period = items.period, true)
    where items.item_id is null

),

final as (

    select
        cast(null as varchar) as feed,
        *
    from (
        select * from overdue

        union all

        select * from without_item

        union all

        select * from alarms_without_item
    ) as found
    order by abs(variance_minor) desc nulls last, item_id

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

    select policies.variance_policy as severity
    from audit.plan_policy as policies
    inner join in_force on policies.version = in_force.version

)

select * from final;
