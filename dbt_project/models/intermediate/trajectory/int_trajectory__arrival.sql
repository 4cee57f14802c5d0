-- What is still to arrive: leads, spend, and whoever enters a later stage from outside, by day.
-- Grain: scope, stream, day; days from as_of to the end of the last open period.
-- The plan's pace times the level that leads and spend have walked to (int_trajectory__walk). From
-- outside: as many a day as of late. Today counts as expected less what has already come.

with

pace as (

    select * from {{ ref("int_trajectory__pace") }}

),

walks as (

    select
        scope,
        stream,
        scatter,
        wander,
        level,
        level_variance
    from {{ ref("int_trajectory__walk") }}

),

levels as (

    select * from {{ ref("int_trajectory__level") }}
    where not is_whole_deal

),

-- The days of late that have a pace, and what they weigh together.
recent as (

    select
        scope,
        stream,
        position,
        count(*) as watched_days,
        {{ steady_sum("base") }} as weight
    from pace
    where base is not null and days_ago between 1 and {{ level_days() }}
    group by scope, stream, position

),

-- From outside: as many a day, by the weights of days, as of late.
outside_levels as (

    select
        levels.scope,
        recent.stream,
        cast(1 as double) as scatter,
        cast({{ prior_wander() }} as double) as wander,
        levels.outside / nullif(recent.weight, 0) as level,
        1.0 / (levels.outside + 1) as level_variance
    from levels
    inner join recent
        on
            levels.scope = recent.scope
            and levels.to_position = recent.position
    where recent.position > 1 and levels.outside > 0

),

all_levels as (

    select * from walks

    union all

    select * from outside_levels

),

final as (

    select
        pace.scope,
        pace.stream,
        pace.position,
        pace.day,
        case
            when pace.days_ago = 0
                then greatest(pace.base * all_levels.level - pace.arrived, 0)
            else pace.base * all_levels.level
        end as expected,
        all_levels.level,
        all_levels.level_variance,
        all_levels.scatter,
        all_levels.wander,
        recent.watched_days
    from pace
    inner join all_levels
        on
            pace.scope = all_levels.scope
            and pace.stream = all_levels.stream
    left join recent
        on
            pace.scope = recent.scope
            and pace.stream = recent.stream
    where
        pace.days_ago <= 0
        and pace.base is not null
        and all_levels.level is not null

)

select * from final
