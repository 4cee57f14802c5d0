-- Conversion by age: of those who enter a step, what share goes on after exactly so many days, and
-- what share is still there.
-- Grain: step, age_days.
-- Kaplan and Meier (1958) with two ways out, going on and leaving (Aalen and Johansen 1978): at
-- each age only who has been watched for that whole day is at risk, so that open leads and deals
-- are censored, neither failures nor successes. It is the chain ladder of daily development
-- factors. The plan's own rate counts as a few more entrants who go on evenly over the planned
-- window: all there is while nobody has grown old enough, and soon outweighed.

with

steps as (

    select * from {{ ref("int_trajectory__step") }}

),

entries as (

    select * from {{ ref("int_trajectory__entry") }}

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

-- What happened on the day of as_of is not history yet: the day is not over.
watched as (

    select
        step,
        case
            when coalesce(moved_after_days, ended_after_days) < age_days
                then coalesce(moved_after_days, ended_after_days)
            else age_days - 1
        end as last_age_days,
        coalesce(moved_after_days < age_days, false) as has_moved,
        coalesce(ended_after_days < age_days, false) as has_ended
    from entries
    where age_days > 0

),

counted as (

    select
        step,
        last_age_days as age_days,
        count(*) as leaving_risk,
        count(case when has_moved then 1 end) as moved,
        count(case when has_ended then 1 end) as ended
    from watched
    group by step, last_age_days

),

ages as (

    select row_number() over (order by day) - 1 as age_days
    from calendar_days

),

spine as (

    select
        steps.step,
        steps.plan_rate,
        steps.plan_days,
        ages.age_days
    from steps
    inner join ages on ages.age_days <= {{ history_days() }}

),

at_risk as (

    select
        spine.step,
        spine.age_days,
        coalesce(counted.moved, 0) as moved,
        coalesce(counted.ended, 0) as ended,
        coalesce(
            sum(counted.leaving_risk) over (
                partition by spine.step
                order by spine.age_days
                rows between current row and unbounded following
            ), 0
        ) as at_risk,
        case
            when spine.plan_rate is null or spine.age_days >= spine.plan_days then 0
            else {{ prior_entrants() }} * (1 - spine.plan_rate * spine.age_days / spine.plan_days)
        end as planned_at_risk,
        case
            when spine.plan_rate is null or spine.age_days >= spine.plan_days then 0
            else {{ prior_entrants() }} * spine.plan_rate / spine.plan_days
        end as planned_moved
    from spine
    left join counted
        on
            spine.step = counted.step
            and spine.age_days = counted.age_days

),

hazards as (

    select
        step,
        age_days,
        cast(at_risk as bigint) as at_risk,
        moved,
        case
            when at_risk + planned_at_risk > 0
                then (moved + planned_moved) / (at_risk + planned_at_risk)
            else 0
        end as moving,
        case
            when at_risk + planned_at_risk > 0
                then ln(
                    greatest(
                        1 - (moved + planned_moved + ended) / (at_risk + planned_at_risk), 1e-9
                    )
                )
            else 0
        end as log_staying
    from at_risk

),

surviving as (

    select
        *,
        coalesce(
            exp(
                {{ steady_running(
                    "log_staying",
                    "(partition by step order by age_days"
                    ~ " rows between unbounded preceding and 1 preceding)",
                ) }}
            ), 1
        ) as staying_share
    from hazards

),

final as (

    select
        step,
        age_days,
        at_risk,
        moved,
        staying_share,
        staying_share * moving as moving_share,
        {{ steady_running(
            "staying_share * moving",
            "(partition by step order by age_days"
            ~ " rows between unbounded preceding and current row)",
        ) }} as moved_share
    from surviving

)

select * from final
