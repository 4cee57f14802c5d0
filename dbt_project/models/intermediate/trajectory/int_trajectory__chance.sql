-- The chance of somebody who stands at the start of a step since so many days to reach a later
-- stage before a period ends, by the company's curves.
-- Grain: step, age_days, period, to_position; ages at which somebody stands there.
-- The next step falls on one of the days that are left, given that it has not happened yet; what is
-- left of the period then has to be enough for the rest of the way.

with

steps as (

    select * from {{ ref("int_trajectory__step") }}
    where not is_whole_deal

),

entries as (

    select * from {{ ref("int_trajectory__entry") }}
    where is_waiting

),

curves as (

    select * from {{ ref("int_trajectory__curve") }}

),

reaches as (

    select * from {{ ref("int_trajectory__reach") }}

),

horizons as (

    select * from {{ ref("int_trajectory__horizon") }}

),

standing as (

    select distinct
        entries.step,
        steps.to_position as next_position,
        entries.age_days
    from entries
    inner join steps on entries.step = steps.step

),

run_parameter as (

    select max(rest_of_day) as rest_of_day
    from horizons

),

-- Who stands there has stood there for the part of today that is over.
staying as (

    select
        standing.step,
        standing.next_position,
        standing.age_days,
        run_parameter.rest_of_day * today.staying_share
        + (1 - run_parameter.rest_of_day) * tomorrow.staying_share as staying_share,
        run_parameter.rest_of_day
    from standing
    cross join run_parameter
    inner join curves as today
        on
            standing.step = today.step
            and standing.age_days = today.age_days
    inner join curves as tomorrow
        on
            standing.step = tomorrow.step
            and standing.age_days + 1 = tomorrow.age_days
    where tomorrow.staying_share > 1e-6

),

moving as (

    select
        staying.step,
        staying.next_position,
        staying.age_days,
        curves.age_days - staying.age_days as days,
        curves.moving_share / staying.staying_share
        * case when curves.age_days = staying.age_days then staying.rest_of_day else 1 end as share
    from staying
    inner join curves
        on
            staying.step = curves.step
            and staying.age_days <= curves.age_days
    where curves.moving_share > 1e-7

),

final as (

    select
        moving.step,
        moving.age_days,
        horizons.period,
        reaches.to_position,
        {{ steady_sum("moving.share * reaches.reached_share") }} as chance
    from moving
    inner join horizons on moving.days <= horizons.days_left
    inner join reaches
        on
            moving.next_position = reaches.from_position
            and horizons.days_left - moving.days = reaches.days
    group by moving.step, moving.age_days, horizons.period, reaches.to_position

)

select * from final
