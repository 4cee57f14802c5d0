-- Is a step going better or worse than its curve, of late? Actual over expected, for each scope.
-- Grain: scope, step.
-- The level is the walk's (int_trajectory__walk): a recent change of course moves the projection
-- before the old cohorts have left the curve. `outside`: how many entered the step's last stage in
-- the last eight weeks without coming from the stage before (deals that Sales opened itself); where
-- fewer entered than went on (two leads, one deal), the level counts only those.

with

steps as (

    select * from {{ ref("int_trajectory__step") }}

),

entries as (

    select * from {{ ref("int_trajectory__entry") }}
    where age_days > 0

),

members as (

    select * from {{ ref("int_trajectory__member") }}

),

walks as (

    select * from {{ ref("int_trajectory__walk") }}

),

counted as (

    select
        members.scope,
        entries.step,
        count(
            case
                when
                    entries.moved_after_days < entries.age_days
                    and entries.age_days - entries.moved_after_days <= {{ level_days() }}
                    then 1
            end
        ) as moved,
        count(case when entries.age_days <= {{ level_days() }} then 1 end) as entered
    from entries
    inner join members on entries.campaign_key = members.campaign_key
    group by members.scope, entries.step

),

-- How many entries of the company a step has that are settled, as its curve rests on them.
settled as (

    select
        entries.step,
        count(
            case
                when not entries.is_waiting or entries.age_days > steps.plan_days then 1
            end
        ) as settled_entries
    from entries
    inner join steps on entries.step = steps.step
    group by entries.step

),

-- A lead's step leads to entries into its last stage, which are the next step's.
followed as (

    select
        steps.*,
        case when not steps.is_deal then next_step.step end as next_step
    from steps
    left join steps as next_step
        on
            steps.to_position = next_step.from_position
            and not next_step.is_whole_deal

),

flows as (

    select
        walks.scope,
        followed.step,
        followed.from_position,
        followed.to_position,
        followed.is_whole_deal,
        walks.scatter,
        walks.wander,
        walks.level,
        walks.level_variance,
        coalesce(settled.settled_entries, 0) as settled_entries,
        coalesce(own.moved, 0) as moved,
        case
            when followed.next_step is null then coalesce(own.moved, 0)
            else coalesce(next_own.entered, 0)
        end as arrived
    from walks
    inner join followed on walks.stream = followed.step
    left join settled on followed.step = settled.step
    left join counted as own
        on
            walks.scope = own.scope
            and followed.step = own.step
    left join counted as next_own
        on
            walks.scope = next_own.scope
            and followed.next_step = next_own.step

),

final as (

    select
        scope,
        step,
        from_position,
        to_position,
        is_whole_deal,
        greatest(arrived - moved, 0) as outside,
        scatter,
        wander,
        settled_entries,
        level * (least(moved, arrived) + {{ prior_events() }}) / (moved + {{ prior_events() }})
            as level,
        level_variance
    from flows

)

select * from final
