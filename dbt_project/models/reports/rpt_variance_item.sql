-- The KPIs that have left their tolerance in a period, the handoffs and velocities that raised an
-- alarm, and what their owners say of it.
-- Grain: period, scope, metric (item_id). One item however often it left, and whether it left its
-- tolerance, raised an alarm or both (`causes`; `kind` is the first of them that still stands);
-- closed ones stay. An alarm needs nobody to ask: it opens its item by itself.
-- Opened: the first day of the latest run of days outside. Closed: back within the tolerance, or
-- the period is over and the latest note closes it. Overdue: no note by the due date, or the date
-- set in the latest note has passed and the item still stands. Notes from before it opened belong
-- to an earlier run of days and explain nothing.

with

days as (

    select * from {{ ref("int_plan__kpi_day") }}

),

periods as (

    select * from {{ ref("rpt_plan_vs_actual__kpi_period") }}

),

alarms as (

    select * from {{ ref("rpt_variance_alarm") }}

),

notes as (

    select * from {{ ref("stg_landed__plan_note") }}

),

run_parameter as (

    select
        time_zone,
        {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

last_outside as (

    select
        period,
        scope,
        metric,
        max(day) as last_day
    from days
    where is_outside_tolerance
    group by period, scope, metric

),

-- The days within tolerance next to the latest run of days outside.
neighbours as (

    select
        last_outside.period,
        last_outside.scope,
        last_outside.metric,
        max(case when days.day < last_outside.last_day then days.day end) as last_day_before,
        min(case when days.day > last_outside.last_day then days.day end) as first_day_after
    from last_outside
    inner join days
        on
            last_outside.period = days.period
            and last_outside.scope = days.scope
            and last_outside.metric = days.metric
    where not days.is_outside_tolerance
    group by last_outside.period, last_outside.scope, last_outside.metric

),

openings as (

    select
        days.period,
        days.scope,
        days.metric,
        min(days.day) as opened_date,
        min(neighbours.first_day_after) as within_date
    from days
    left join neighbours
        on
            days.period = neighbours.period
            and days.scope = neighbours.scope
            and days.metric = neighbours.metric
    where
        days.is_outside_tolerance
        and (neighbours.last_day_before is null or days.day > neighbours.last_day_before)
    group by days.period, days.scope, days.metric

),

causes as (

    select
        period,
        scope,
        metric,
        1 as cause,
        opened_date,
        within_date
    from openings

    union all

    select
        period,
        scope,
        metric,
        case kind when 'drift' then 2 else 3 end as cause,
        opened_date,
        within_date
    from alarms

),

-- While any cause stands, the item does, since the first that stands.
merged as (

    select
        period,
        scope,
        metric,
        coalesce(
            min(case when within_date is null then opened_date end), min(opened_date)
        ) as opened_date,
        case when count(*) = count(within_date) then max(within_date) end as within_date,
        coalesce(min(case when within_date is null then cause end), min(cause)) as cause,
        min(cause) as first_cause,
        max(cause) as last_cause
    from causes
    group by period, scope, metric

),

items as (

    select
        *,
        'V-' || substr(md5(period || '|' || scope || '|' || metric), 1, 10) as item_id
    from merged

),

numbered_notes as (

    select
        items.item_id,
        notes.number,
        notes.why,
        notes.action,
        notes.due_date,
        notes.closes,
        notes.noted_by,
        notes.noted_at,
        {{ local_date("notes.noted_at", "run_parameter.time_zone") }} as noted_date,
        count(*) over (partition by items.item_id) as notes,
        row_number() over (
            partition by items.item_id
            order by notes.number desc
        ) as recency
    from items
    cross join run_parameter
    inner join notes on items.item_id = notes.item

),

joined as (

    select
        items.item_id,
        items.period,
        items.scope,
        items.metric,
        case items.cause when 1 then 'tolerance' when 2 then 'drift' else 'velocity' end as kind,
        case
            when items.first_cause < items.last_cause then 'tolerance; drift'
            when items.cause = 1 then 'tolerance'
            when items.cause = 2 then 'drift'
            else 'velocity'
        end as causes,
        coalesce(periods.unit, alarms.unit) as unit,
        coalesce(periods.owner, alarms.owner) as owner,
        coalesce(periods.owner_department, alarms.owner_department) as owner_department,
        coalesce(periods.plan_to_date_value, alarms.plan_value) as plan_to_date_value,
        coalesce(periods.actual_value, alarms.actual_value) as actual_value,
        coalesce(periods.variance_value, alarms.actual_value - alarms.plan_value)
            as variance_value,
        coalesce(
            periods.variance_pct,
            cast(
                round(
                    cast(alarms.actual_value - alarms.plan_value as double) * 100
                    / nullif(cast(alarms.plan_value as double), 0), 2
                ) as decimal(18, 2)
            )
        ) as variance_pct,
        periods.variance_minor,
        coalesce(periods.period_end_date, alarms.period_end_date) as period_end_date,
        items.opened_date,
        items.within_date,
        alarms.alarmed_at,
        {{ add_days("items.opened_date", "coalesce(periods.cadence_days, alarms.cadence_days)") }}
            as due_date,
        run_parameter.as_of_date,
        run_parameter.as_of_date < coalesce(periods.period_end_date, alarms.period_end_date)
            as is_period_open,
        latest.why,
        latest.action,
        latest.due_date as action_due_date,
        latest.noted_by,
        latest.noted_at,
        latest.noted_date,
        coalesce(latest.noted_date >= items.opened_date, false) as has_note,
        coalesce(latest.closes, false) as has_closing_note,
        coalesce(latest.notes, 0) as notes
    from items
    left join periods
        on
            items.period = periods.period
            and items.scope = periods.scope
            and items.metric = periods.metric
    left join alarms
        on
            items.period = alarms.period
            and items.scope = alarms.scope
            and items.metric = alarms.metric
    cross join run_parameter
    left join numbered_notes as latest
        on
            items.item_id = latest.item_id
            and latest.recency = 1

),

with_closing as (

    select
        *,
        case
            when within_date is not null then within_date
            when has_note and has_closing_note and not is_period_open
                then greatest(noted_date, period_end_date)
        end as closed_date
    from joined

),

final as (

    select
        -- ids
        item_id,
        period,
        scope,
        metric,
        -- text
        kind,
        causes,
        unit,
        case
            when closed_date is not null then 'closed'
            when has_note and as_of_date <= action_due_date then 'explained'
            when has_note or as_of_date > due_date then 'overdue'
            else 'open'
        end as status,
        owner,
        owner_department,
        why,
        action,
        noted_by,
        -- numbers
        plan_to_date_value,
        actual_value,
        variance_value,
        variance_pct,
        variance_minor,
        notes,
        -- booleans
        is_period_open,
        -- times
        opened_date,
        due_date,
        closed_date,
        action_due_date,
        alarmed_at,
        noted_at
    from with_closing

)

select * from final
