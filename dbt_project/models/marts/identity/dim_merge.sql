-- The map of merges: which record each merged lead, contact or opportunity is part of now.
-- Grain: entity, record_id (merges in force at as_of).

with

merge_map as (

    select * from {{ ref("int_merge") }}

),

final as (

    select
        entity,
        record_id,
        survivor_id,
        merged_into,
        stated_by,
        reason,
        is_contradicted,
        merged_at
    from merge_map

)

select * from final
