-- What happened in each of the last full weeks beside what should have: entries that went on, by
-- the ages of all who stand or stood there, and leads and spend, by the plan's pace.
-- Grain: scope, stream, weeks_ago (0: the seven days before as_of's); streams are the steps, the
-- first stage and `budget`.
-- `chance_variance` is that of so many independent chances: binomial for a step, Poisson for what
-- arrives; of spend it is in the unit of spend.

with

entries as (

    select * from {{ ref("int_trajectory__entry") }}

),

curves as (

    select * from {{ ref("int_trajectory__curve") }}

),

members as (

    select * from {{ ref("int_trajectory__member") }}

),

steps as (

    select * from {{ ref("int_trajectory__step") }}

),

pace as (

    select * from {{ ref("int_trajectory__pace") }}
    where days_ago > 0 and base is not null and (position is null or position = 1)

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

weeks as (

    select row_number() over (order by day) - 1 as weeks_ago
    from calendar_days

),

recent_weeks as (

    select weeks_ago from weeks
    where weeks_ago < {{ scatter_days() }} / 7

),

scopes as (

    select distinct scope
    from members

),

standing as (

    select
        members.scope,
        entries.step,
        entries.age_days,
        count(*) as entries
    from entries
    inner join members on entries.campaign_key = members.campaign_key
    where entries.age_days > 0
    group by members.scope, entries.step, entries.age_days

),

-- The share of those of an age today who went on in a week, by the curve.
shares as (

    select
        until_end.step,
        recent_weeks.weeks_ago,
        until_end.age_days + 1 + 7 * recent_weeks.weeks_ago as age_days,
        until_end.moved_share - coalesce(until_start.moved_share, 0) as moving_share
    from curves as until_end
    cross join recent_weeks
    left join curves as until_start
        on
            until_end.step = until_start.step
            and until_end.age_days - 7 = until_start.age_days

),

moves_due as (

    select
        standing.scope,
        standing.step as stream,
        shares.weeks_ago,
        {{ steady_sum("standing.entries * shares.moving_share") }} as expected,
        {{ steady_sum("standing.entries * shares.moving_share * (1 - shares.moving_share)") }}
            as chance_variance
    from standing
    inner join shares
        on
            standing.step = shares.step
            and standing.age_days = shares.age_days
    where shares.moving_share > 1e-7
    group by standing.scope, standing.step, shares.weeks_ago

),

moves as (

    select
        members.scope,
        entries.step as stream,
        {{ floor_div("entries.age_days - entries.moved_after_days - 1", 7) }} as weeks_ago,
        count(*) as happened
    from entries
    inner join members on entries.campaign_key = members.campaign_key
    where
        entries.moved_after_days < entries.age_days
        and entries.age_days - entries.moved_after_days <= {{ scatter_days() }}
    group by
        members.scope,
        entries.step,
        {{ floor_div("entries.age_days - entries.moved_after_days - 1", 7) }}

),

arrivals as (

    select
        scope,
        stream,
        is_planned,
        {{ floor_div("days_ago - 1", 7) }} as weeks_ago,
        {{ exact_sum("arrived") }} as happened,
        {{ steady_sum("base") }} as expected
    from pace
    group by scope, stream, is_planned, {{ floor_div("days_ago - 1", 7) }}

),

-- Every scope and step has its weeks, be there nothing due: its level is then all belief.
step_weeks as (

    select
        scopes.scope,
        steps.step as stream,
        recent_weeks.weeks_ago
    from scopes
    cross join steps
    cross join recent_weeks

),

final as (

    select
        step_weeks.scope,
        step_weeks.stream,
        step_weeks.weeks_ago,
        true as is_planned,
        coalesce(moves.happened, 0) as happened,
        coalesce(moves_due.expected, 0) as expected,
        coalesce(moves_due.chance_variance, 0) as chance_variance
    from step_weeks
    left join moves
        on
            step_weeks.scope = moves.scope
            and step_weeks.stream = moves.stream
            and step_weeks.weeks_ago = moves.weeks_ago
    left join moves_due
        on
            step_weeks.scope = moves_due.scope
            and step_weeks.stream = moves_due.stream
            and step_weeks.weeks_ago = moves_due.weeks_ago

    union all

    select
        scope,
        stream,
        weeks_ago,
        is_planned,
        happened,
        expected,
        expected as chance_variance
    from arrivals

)

select * from final
