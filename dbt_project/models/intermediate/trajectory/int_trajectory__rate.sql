-- What the rate of a period's entrants will be once all are decided: those who have gone on, those
-- who wait and may still go on within the window, and those still to enter.
-- Grain: scope, period, metric.

with

outcomes as (

    select * from {{ ref("int_kpi__outcome") }}

),

parts as (

    select * from {{ ref("int_plan_vs_actual__kpi_version") }}
    where has_begun and unit = 'rate'

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}

),

members as (

    select * from {{ ref("int_plan__scope_member") }}

),

steps as (

    select * from {{ ref("int_trajectory__step") }}

),

curves as (

    select * from {{ ref("int_trajectory__curve") }}

),

levels as (

    select * from {{ ref("int_trajectory__level") }}

),

kpis as (

    select * from {{ ref("kpis") }}
    where kind = 'rate'

),

outlooks as (

    select * from {{ ref("int_trajectory__outlook") }}

),

run_parameter as (

    select
        as_of,
        time_zone,
        {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

rate_steps as (

    select
        kpis.metric,
        kpis.from_stage,
        steps.step
    from kpis
    inner join steps
        on
            kpis.from_stage = steps.from_stage
            and kpis.to_stage = steps.to_stage

),

windows as (

    select
        parts.version,
        parts.scope,
        parts.period,
        parts.metric,
        parts.period_start_date,
        parts.period_end_date,
        settings.window_days
    from parts
    left join settings
        on
            parts.version = settings.version
            and parts.scope = settings.scope
            and parts.metric = settings.metric

),

entered as (

    select
        metric,
        version,
        campaign_key,
        entered_date,
        {{ days_between("entered_date", "reached_next_date") }} as moved_after_days,
        ended_date is not null as has_ended,
        count(*) as entries
    from outcomes
    where version is not null
    group by
        metric,
        version,
        campaign_key,
        entered_date,
        {{ days_between("entered_date", "reached_next_date") }},
        ended_date is not null

),

of_periods as (

    select
        windows.scope,
        windows.period,
        windows.metric,
        coalesce(windows.window_days, {{ history_days() }}) as window_days,
        {{ days_between("entered.entered_date", "run_parameter.as_of_date") }} as age_days,
        entered.moved_after_days <= coalesce(windows.window_days, {{ history_days() }})
            as has_moved,
        entered.has_ended,
        {{ exact_sum("entered.entries") }} as entries
    from windows
    inner join members
        on
            windows.version = members.version
            and windows.scope = members.scope
    inner join entered
        on
            windows.version = entered.version
            and windows.metric = entered.metric
            and members.campaign_key = entered.campaign_key
            and windows.period_start_date <= entered.entered_date
            and windows.period_end_date > entered.entered_date
    cross join run_parameter
    group by
        windows.scope,
        windows.period,
        windows.metric,
        coalesce(windows.window_days, {{ history_days() }}),
        {{ days_between("entered.entered_date", "run_parameter.as_of_date") }},
        entered.moved_after_days <= coalesce(windows.window_days, {{ history_days() }}),
        entered.has_ended

),

chances as (

    select
        of_periods.scope,
        of_periods.period,
        of_periods.metric,
        of_periods.entries,
        coalesce(of_periods.has_moved, false) as has_moved,
        of_periods.has_moved is null
        and not of_periods.has_ended
        and of_periods.age_days <= of_periods.window_days as is_waiting,
        case
            when
                of_periods.has_moved is null
                and not of_periods.has_ended
                and of_periods.age_days < of_periods.window_days
                and coalesce(tomorrow.staying_share, 0) > 1e-6
                then least(
                    levels.level
                    * (
                        at_end.moved_share - today.moved_share
                        + today.moving_share * {{ rest_of_day("run_parameter") }}
                    )
                    / (
                        {{ rest_of_day("run_parameter") }} * today.staying_share
                        + (1 - {{ rest_of_day("run_parameter") }}) * tomorrow.staying_share
                    ), 1
                )
            else 0
        end as chance
    from of_periods
    cross join run_parameter
    inner join rate_steps on of_periods.metric = rate_steps.metric
    inner join levels
        on
            of_periods.scope = levels.scope
            and rate_steps.step = levels.step
    left join curves as today
        on
            rate_steps.step = today.step
            and of_periods.age_days = today.age_days
    left join curves as tomorrow
        on
            rate_steps.step = tomorrow.step
            and of_periods.age_days + 1 = tomorrow.age_days
    left join curves as at_end
        on
            rate_steps.step = at_end.step
            and of_periods.window_days = at_end.age_days

),

sums as (

    select
        scope,
        period,
        metric,
        {{ exact_sum("entries") }} as entries,
        {{ exact_sum("case when has_moved then entries else 0 end") }} as moved,
        {{ exact_sum("case when is_waiting then entries else 0 end") }} as waiting,
        {{ steady_sum("entries * chance") }} as expected,
        {{ steady_sum("entries * chance * (1 - chance)") }} as chance_variance
    from chances
    group by scope, period, metric

),

-- The window that counts is that of the latest version.
newest as (

    select
        windows.scope,
        windows.period,
        windows.metric,
        max_by(coalesce(windows.window_days, {{ history_days() }}), windows.version)
            as window_days,
        greatest(
            {{ days_between("max(run_parameter.as_of_date)", "max(windows.period_end_date)") }}, 0
        ) as days_left
    from windows
    cross join run_parameter
    group by windows.scope, windows.period, windows.metric

),

with_arrivals as (

    select
        newest.scope,
        newest.period,
        newest.metric,
        coalesce(sums.entries, 0) as entries,
        coalesce(sums.moved, 0) as moved,
        coalesce(sums.waiting, 0) as waiting,
        coalesce(sums.expected, 0) as expected,
        coalesce(sums.chance_variance, 0) as chance_variance,
        coalesce(outlooks.in_funnel + outlooks.to_arrive, 0) as entering,
        least(levels.level * at_end.moved_share, 1) as chance,
        levels.level_variance,
        {{ wander_until("levels.wander", "(newest.days_left + steps.plan_days)") }}
            as wander_variance,
        levels.scatter,
        levels.settled_entries
    from newest
    inner join rate_steps on newest.metric = rate_steps.metric
    inner join steps on rate_steps.step = steps.step
    inner join levels
        on
            newest.scope = levels.scope
            and rate_steps.step = levels.step
    inner join curves as at_end
        on
            rate_steps.step = at_end.step
            and newest.window_days = at_end.age_days
    left join sums
        on
            newest.scope = sums.scope
            and newest.period = sums.period
            and newest.metric = sums.metric
    left join outlooks
        on
            newest.scope = outlooks.scope
            and newest.period = outlooks.period
            and rate_steps.from_stage = outlooks.stream

),

final as (

    select
        scope,
        period,
        metric,
        entries,
        moved,
        waiting,
        entering,
        expected as expected_of_waiting,
        entering * chance as expected_of_entering,
        (chance_variance + entering * chance * (1 - chance)) * scatter
        + power(expected + entering * chance, 2) * (level_variance + wander_variance) as variance,
        settled_entries as cohort_size
    from with_arrivals

)

select * from final
