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

members as (

    select * from {{ ref("int_trajectory__member") }}

),

entries as (

    select * from {{ ref("int_trajectory__entry") }}
    where age_days = 0

),

steps as (

    select * from {{ ref("int_trajectory__step") }}
    where from_position = 1

),

levels as (

    select * from {{ ref("int_trajectory__level") }}
    where not is_whole_deal

),

daily as (

    select * from {{ ref("int_kpi__daily") }}
    where metric = 'budget'

),

horizons as (

    select max(as_of_date) as as_of_date
    from {{ ref("int_trajectory__horizon") }}

),

arrived_by_campaign as (

    select
        steps.from_stage as stream,
        entries.campaign_key,
        cast(count(*) as bigint) as arrived
    from entries
    inner join steps on entries.step = steps.step
    group by steps.from_stage, entries.campaign_key

    union all

    select
        'budget' as stream,
        daily.campaign_key,
        daily.numerator as arrived
    from daily
    inner join horizons on daily.day = horizons.as_of_date

),

arrived as (

    select
        members.scope,
        arrived_by_campaign.stream,
        {{ exact_sum("arrived_by_campaign.arrived") }} as arrived
    from arrived_by_campaign
    inner join members on arrived_by_campaign.campaign_key = members.campaign_key
    group by members.scope, arrived_by_campaign.stream

),

-- Of days only: what the plan has in money is beyond such a sum.
weights as (

    select
        scope,
        stream,
        {{ steady_sum("base") }} as weight
    from pace
    where position > 1 and days_ago between 1 and {{ level_days() }}
    group by scope, stream

),

streams as (

    select distinct
        scope,
        stream,
        position
    from pace

),

-- From outside: as many a day, by the weights of days, as of late.
outside_levels as (

    select
        levels.scope,
        streams.stream,
        cast(1 as double) as scatter,
        cast({{ prior_wander() }} as double) as wander,
        levels.outside / nullif(weights.weight, 0) as level,
        1.0 / (levels.outside + 1) as level_variance
    from levels
    inner join streams
        on
            levels.scope = streams.scope
            and levels.to_position = streams.position
    inner join weights
        on
            streams.scope = weights.scope
            and streams.stream = weights.stream
    where streams.position > 1 and levels.outside > 0

),

watched as (

    select
        scope,
        stream,
        count(*) as watched_days
    from pace
    where base is not null and days_ago between 1 and {{ level_days() }}
    group by scope, stream

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
                then greatest(
                    pace.base * all_levels.level - coalesce(arrived.arrived, 0), 0
                )
            else pace.base * all_levels.level
        end as expected,
        all_levels.level,
        all_levels.level_variance,
        all_levels.scatter,
        all_levels.wander,
        watched.watched_days
    from pace
    inner join all_levels
        on
            pace.scope = all_levels.scope
            and pace.stream = all_levels.stream
    left join watched
        on
            pace.scope = watched.scope
            and pace.stream = watched.stream
    left join arrived
        on
            pace.scope = arrived.scope
            and pace.stream = arrived.stream
    where
        pace.days_ago <= 0
        and pace.base is not null
        and all_levels.level is not null

)

select * from final
