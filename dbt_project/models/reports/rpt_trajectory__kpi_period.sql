-- Does it require a pivot? Where each KPI of the plan will stand at its period's end, and one
-- verdict.
-- Grain: metric, period, scope; periods that have begun. Nothing here adds up over rows.
-- Counts and money end at what there is plus what is to come: of the leads and deals that stand in
-- the funnel by stage and age, and of what is still to arrive at the plan's own pace, as it has run
-- of late. Rates are projected for the period's entrants, until the last of them is decided. `low`
-- and `high` hold the middle 80 percent. How it is done: models/intermediate/trajectory.
--
-- The verdict, in percent of the plan and on the KPI's bad side (`better`: below it, above it, or
-- whichever side it leans to where neither is better). T is the tolerance, G the shortfall at which
-- both sides have agreed to pivot (`trigger_pct`, else T). The first that applies:
--   cannot tell yet  nothing is measured or planned, the data is late, or the history is too small
--   pivot            even the better end of the interval misses by more than G
--   cannot tell yet  the interval holds the plan and misses beyond T, and is wider than T from
--                    the projection to the better side: chance alone is wider than the tolerance
--   watch            the projection misses by more than T
--   on track         otherwise
-- For an interval of one width the verdict only ever goes down that list as the projection gets
-- worse (on track, cannot tell yet, watch, pivot).

with

periods as (

    select * from {{ ref("int_plan_vs_actual__kpi_period") }}

),

versions as (

    select * from {{ ref("int_plan_vs_actual__kpi_version") }}
    where is_governing and has_begun

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}

),

projections as (

    select * from {{ ref("int_trajectory__projection") }}

),

freshness as (

    select * from {{ ref("audit_freshness") }}

),

kpis as (

    select * from {{ ref("dim_kpi") }}

),

run_parameter as (

    select
        as_of,
        reporting_currency,
        time_zone,
        {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

-- Sources that are behind their promise, or miss days, by the KPIs that are counted from them.
late as (

    select
        kpis.metric,
        freshness.table_name,
        {{ local_date("freshness.newest_at", "run_parameter.time_zone") }} as newest_date,
        case when freshness.is_daily and freshness.missing_days > 0 then freshness.first_missing_day
        end as first_missing_day
    from freshness
    cross join run_parameter
    inner join kpis
        on
            case freshness.table_name
                when 'spend' then kpis.metric in ('budget', 'cost_per_lead')
                when 'leads' then kpis.metric <> 'budget'
                when 'lead_events' then kpis.metric not in ('budget', 'leads', 'cost_per_lead')
                when 'opportunities' then kpis.department = 'sales'
                when 'opportunity_events' then kpis.department = 'sales'
            end
    where
        (
            freshness.cadence_hours is not null
            and (
                freshness.newest_at is null
                or {{ seconds_between("freshness.newest_at", "run_parameter.as_of") }}
                > freshness.cadence_hours * 3600
            )
        )
        or (freshness.is_daily and freshness.missing_days > 0)

),

late_periods as (

    select
        periods.period,
        periods.scope,
        periods.metric,
        min(late.table_name) as table_name,
        min(coalesce(late.first_missing_day, late.newest_date)) as since_date
    from periods
    inner join late
        on
            periods.metric = late.metric
            and coalesce(
                late.first_missing_day, late.newest_date, periods.period_start_date
            ) < periods.period_end_date
    group by periods.period, periods.scope, periods.metric

),

known as (

    select
        periods.*,
        versions.version as plan_version,
        versions.unit_worth_minor,
        settings.trigger_pct,
        settings.action,
        run_parameter.reporting_currency,
        periods.period_end_date <= run_parameter.as_of_date as is_over,
        {{ actual_value("periods") }} as actual_value,
        {{ published_estimate("projections.projected", "periods.unit") }} as projected_value,
        {{ published_estimate("projections.low", "periods.unit") }} as low_value,
        {{ published_estimate("projections.high", "periods.unit") }} as high_value,
        {{ published_estimate("projections.in_funnel", "periods.unit") }} as in_funnel_value,
        {{ published_estimate("projections.to_arrive", "periods.unit") }} as to_arrive_value,
        projections.base,
        projections.cohort_size,
        projections.in_funnel + projections.to_arrive > 0 as is_open_ended,
        late_periods.table_name as late_table,
        late_periods.since_date as late_since_date
    from periods
    inner join projections
        on
            periods.period = projections.period
            and periods.scope = projections.scope
            and periods.metric = projections.metric
    inner join versions
        on
            periods.period = versions.period
            and periods.scope = versions.scope
            and periods.metric = versions.metric
    cross join run_parameter
    left join settings
        on
            versions.version = settings.version
            and versions.scope = settings.scope
            and versions.metric = settings.metric
    left join late_periods
        on
            periods.period = late_periods.period
            and periods.scope = late_periods.scope
            and periods.metric = late_periods.metric

),

percentages as (

    select
        *,
        cast(tolerance_pct as double) as allowed_pct,
        cast(coalesce(trigger_pct, tolerance_pct) as double) as pivot_pct,
        (cast(projected_value as double) / nullif(cast(plan_value as double), 0) - 1) * 100
            as projected_pct,
        (cast(low_value as double) / nullif(cast(plan_value as double), 0) - 1) * 100 as low_pct,
        (cast(high_value as double) / nullif(cast(plan_value as double), 0) - 1) * 100 as high_pct
    from known

),

-- By how much it misses on the bad side: as projected, at the better end, at the worse end.
misses as (

    select
        *,
        case
            when better = 'lower' or (better = 'neither' and projected_pct > 0) then projected_pct
            else -projected_pct
        end as projected_miss,
        case
            when better = 'lower' or (better = 'neither' and projected_pct > 0) then low_pct
            else -high_pct
        end as least_miss,
        case
            when better = 'lower' or (better = 'neither' and projected_pct > 0) then high_pct
            else -low_pct
        end as most_miss
    from percentages

),

ruled as (

    select
        *,
        case
            when not is_counted then 'not measured'
            when tolerance_pct is null then 'no tolerance'
            when plan_value = 0 then 'no plan'
            when late_table is not null then 'late'
            when projected_value is null then 'nobody'
            when is_open_ended and coalesce(cohort_size, 0) < {{ least_cohort("metric") }}
                then 'thin'
            when least_miss > pivot_pct then 'pivot'
            when
                least_miss <= 0
                and most_miss > allowed_pct
                and projected_miss - least_miss >= allowed_pct
                then 'wide'
            when projected_miss > allowed_pct then 'watch'
            else 'on track'
        end as ruling
    from misses

),

final as (

    select
        -- ids
        metric,
        period,
        scope,
        plan_version,
        -- text
        period_kind,
        unit,
        case when unit = 'minor' then reporting_currency end as reporting_currency,
        owner,
        owner_department,
        case
            when ruling in ('pivot', 'watch', 'on track') then ruling
            else 'cannot tell yet'
        end as verdict,
        case ruling
            when 'not measured' then 'no source delivers what it is counted from'
            when 'no tolerance' then 'the plan sets no tolerance'
            when 'no plan' then 'the plan asks for nothing of which a percentage could be taken'
            when 'late'
                then 'the data is late: ' || late_table || coalesce(
                    ' is complete only up to ' || cast(late_since_date as varchar),
                    ' has never been delivered'
                )
            when 'nobody' then 'nobody has entered yet'
            when 'thin'
                then
                    'the history is too small: ' || cast(coalesce(cohort_size, 0) as varchar)
                    || case
                        when metric in ('budget', 'cost_per_lead', 'leads') then ' days'
                        else ' settled entries'
                    end
            when 'pivot'
                then case
                    when is_open_ended
                        then
                            'even the better end of the interval is '
                            || {{ side_text(
                                "case when least_miss = low_pct then low_pct else high_pct end"
                            ) }}
                    else 'it has ended ' || {{ side_text("projected_pct") }}
                end || ' the plan, beyond the agreed ' || {{ percent_text("pivot_pct") }}
            when 'wide'
                then
                    'the interval reaches from ' || {{ side_text("low_pct") }} || ' to '
                    || {{ side_text("high_pct") }}
                    || ' the plan: chance alone is wider than the tolerance of '
                    || {{ percent_text("allowed_pct") }}
            when 'watch'
                then
                    case when is_open_ended then 'it is heading for ' else 'it has ended ' end
                    || {{ side_text("projected_pct") }}
                    || ' the plan, outside the tolerance of ' || {{ percent_text("allowed_pct") }}
            else
                case when is_open_ended then 'it is heading for ' else 'it has ended ' end
                || {{ side_text("projected_pct") }}
                || ' the plan'
                || case
                    when projected_miss < 0 then ''
                    else ', within the tolerance of ' || {{ percent_text("allowed_pct") }}
                end
        end as verdict_reason,
        action,
        case
            when not is_counted then 'not measured'
            when not is_open_ended then 'final: nothing is to come'
            when metric = 'leads' then 'plan pace at the level of the last eight weeks'
            when metric = 'budget' then 'plan pace at the level of the last eight weeks'
            when metric = 'cost_per_lead' then 'projected spend by projected leads'
            when metric = 'pipeline' then 'funnel by stage and age, arrivals; mean deal of late'
            when metric = 'bookings'
                then 'open deals by stage, age and amount; funnel and arrivals at the mean deal'
            when metric = 'acv' then 'deals so far and those to come at the mean deal'
            when metric = 'cycle_days' then 'wins so far and those to come at the mean cycle'
            when unit = 'rate' then 'entrants decided, waiting by age, and still to enter'
            else 'funnel by stage and age, and arrivals'
        end as method,
        -- numbers
        plan_value,
        actual_value,
        projected_value,
        low_value,
        high_value,
        projected_value - plan_value as gap_value,
        cast(
            round(
                cast(projected_value - plan_value as double)
                * case when is_additive then 1 else base end
                * cast(unit_worth_minor as double), 0
            ) as bigint
        ) as gap_minor,
        in_funnel_value,
        to_arrive_value,
        cast(
            round(
                cast(in_funnel_value + to_arrive_value as double)
                / nullif(cast(projected_value as double), 0), 4
            ) as decimal(18, 4)
        ) as still_to_come_share,
        cohort_size,
        tolerance_pct,
        trigger_pct,
        -- booleans
        is_over,
        -- times
        period_start_date,
        period_end_date
    from ruled

)

select * from final
