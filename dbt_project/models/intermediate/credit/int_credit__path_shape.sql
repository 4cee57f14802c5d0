-- What is said of a path with touches: how many there are, which of them are milestones, and what
-- is to be shared.
-- Grain: path_number.
-- `lead_position` is that of the last touch before the earliest lead that became the opportunity
-- was made, `opportunity_position` that of the last one before it was opened; 0: there is none.

with

paths as (

    select * from {{ ref("int_credit__path") }}

),

path_touches as (

    select * from {{ ref("int_credit__path_touch") }}

),

-- Positions follow time, so the last touch up to an instant is as far as touches up to it go.
counted as (

    select
        path_touches.path_number,
        count(*) as touches,
        count(case when path_touches.touched_at <= paths.lead_created_at then 1 end)
            as lead_position,
        count(case when path_touches.touched_at <= paths.opened_at then 1 end)
            as opportunity_position,
        min(path_touches.age_days) as least_age_days
    from path_touches
    inner join paths on path_touches.path_number = paths.path_number
    group by path_touches.path_number

),

final as (

    select
        counted.path_number,
        paths.opportunity_id,
        paths.basis,
        paths.block,
        paths.amount_minor,
        counted.touches,
        counted.lead_position,
        counted.opportunity_position,
        counted.least_age_days,
        paths.is_converted,
        paths.anchor_at
    from counted
    inner join paths on counted.path_number = paths.path_number

)

select * from final
