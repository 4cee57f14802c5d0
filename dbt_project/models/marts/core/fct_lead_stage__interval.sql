-- The stages of each lead as intervals without a gap, from its creation to now.
-- Grain: lead_id, entry_number. Intervals of one lead add up to its age; leads per stage at an
-- instant are the intervals that contain it.

with

intervals as (

    select * from {{ ref("int_lead__stage_interval") }}

),

final as (

    select
        lead_id,
        entry_number,
        from_stage,
        stage,
        origin,
        raw_status,
        actor,
        reason,
        is_time_estimated,
        entered_at,
        left_at
    from intervals

)

select * from final
