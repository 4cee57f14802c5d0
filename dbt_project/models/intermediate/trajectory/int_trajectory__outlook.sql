-- What will still be counted before a period ends, with its variance: entries into every stage, and
-- spend.
-- Grain: scope, period, stream (`budget` or the stage).
-- The variance is that of chance (times the weekly scatter of the last step) and that of the
-- estimates: of every level that the expectation rests on, carried through the whole of what passes
-- through it, since one wrong level bends everything behind it in the same direction.

with

prospects as (

    select * from {{ ref("int_trajectory__prospect") }}

),

levels as (

    select * from {{ ref("int_trajectory__level") }}
    where not is_whole_deal

),

steps as (

    select * from {{ ref("int_trajectory__step") }}
    where not is_whole_deal

),

arrivals as (

    select * from {{ ref("int_trajectory__arrival") }}

),

horizons as (

    select * from {{ ref("int_trajectory__horizon") }}

),

places as (

    select
        from_stage as stage,
        from_position as position
    from steps

    union

    select
        to_stage as stage,
        to_position as position
    from steps

),

streams as (

    select distinct
        scope,
        position,
        level_variance,
        wander
    from arrivals
    where position is not null

),

-- What passes through each step on its way, and how sure that step's level is.
passing as (

    select
        prospects.scope,
        prospects.period,
        prospects.to_position,
        levels.from_position,
        min(levels.level_variance) as level_variance,
        min(levels.wander) as wander,
        {{ steady_sum("prospects.expected") }} as expected
    from prospects
    inner join levels
        on
            prospects.scope = levels.scope
            and prospects.from_position <= levels.from_position
            and prospects.to_position > levels.from_position
    group by
        prospects.scope, prospects.period, prospects.to_position, levels.from_position

),

arriving as (

    select
        prospects.scope,
        prospects.period,
        prospects.to_position,
        prospects.from_position,
        streams.level_variance,
        streams.wander,
        prospects.expected
    from prospects
    inner join streams
        on
            prospects.scope = streams.scope
            and prospects.from_position = streams.position
    where prospects.is_arrival

),

uncertain as (

    select * from passing

    union all

    select * from arriving

),

estimates as (

    select
        uncertain.scope,
        uncertain.period,
        uncertain.to_position,
        {{ steady_sum(
            "power(uncertain.expected, 2) * (uncertain.level_variance + "
            ~ wander_until("uncertain.wander", "horizons.days_left") ~ ")"
        ) }} as estimate_variance
    from uncertain
    inner join horizons on uncertain.period = horizons.period
    group by uncertain.scope, uncertain.period, uncertain.to_position

),

sums as (

    select
        scope,
        period,
        to_position,
        {{ steady_sum("case when is_arrival then 0 else expected end") }} as in_funnel,
        {{ steady_sum("case when is_arrival then expected else 0 end") }} as to_arrive,
        {{ steady_sum("chance_variance") }} as chance_variance,
        {{ steady_sum("expected_unknown") }} as expected_unknown,
        {{ steady_sum("expected_minor") }} as expected_minor
    from prospects
    group by scope, period, to_position

),

-- The thinnest history on the way from the first stage.
histories as (

    select
        scope,
        to_position,
        min(settled_entries) over (
            partition by scope
            order by to_position
            rows between unbounded preceding and current row
        ) as settled_entries,
        scatter
    from levels

),

stages as (

    select
        sums.scope,
        sums.period,
        places.stage as stream,
        sums.in_funnel,
        sums.to_arrive,
        sums.chance_variance * coalesce(histories.scatter, 1)
        + coalesce(estimates.estimate_variance, 0) as variance,
        sums.expected_unknown,
        sums.expected_minor,
        histories.settled_entries as cohort_size
    from sums
    inner join places on sums.to_position = places.position
    left join estimates
        on
            sums.scope = estimates.scope
            and sums.period = estimates.period
            and sums.to_position = estimates.to_position
    left join histories
        on
            sums.scope = histories.scope
            and sums.to_position = histories.to_position

),

watched as (

    select
        scope,
        stream,
        max(watched_days) as watched_days
    from arrivals
    group by scope, stream

),

spend_days as (

    select
        arrivals.scope,
        horizons.period,
        arrivals.stream,
        {{ steady_sum("arrivals.expected") }} as to_arrive,
        min(arrivals.scatter) as scatter,
        min(arrivals.level_variance) as level_variance,
        min({{ wander_until("arrivals.wander", "horizons.days_left") }}) as wander_variance,
        min(arrivals.watched_days) as watched_days
    from arrivals
    inner join horizons on arrivals.day < horizons.period_end_date
    where arrivals.stream = 'budget'
    group by arrivals.scope, horizons.period, arrivals.stream

),

final as (

    select
        stages.scope,
        stages.period,
        stages.stream,
        stages.in_funnel,
        stages.to_arrive,
        stages.variance,
        stages.expected_unknown,
        stages.expected_minor,
        coalesce(stages.cohort_size, watched.watched_days) as cohort_size
    from stages
    left join watched
        on
            stages.scope = watched.scope
            and stages.stream = watched.stream

    union all

    select
        scope,
        period,
        stream,
        cast(0 as double) as in_funnel,
        to_arrive,
        abs(to_arrive) * scatter + to_arrive * to_arrive * (level_variance + wander_variance)
            as variance,
        cast(0 as double) as expected_unknown,
        cast(0 as double) as expected_minor,
        watched_days as cohort_size
    from spend_days

)

select * from final
