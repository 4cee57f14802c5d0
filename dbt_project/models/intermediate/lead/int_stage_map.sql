-- Which stage a raw status means, when, and where that stage stands in the order.
-- Grain: feed, entity, raw_status, valid_from.

with

stage_map as (

    select * from {{ ref("stg_landed__stage_map") }}

),

stages as (

    select * from {{ ref("stages") }}

),

final as (

    select
        stage_map.feed,
        stage_map.entity,
        stage_map.raw_status,
        stage_map.stage,
        stages.kind as stage_kind,
        stages.ordinal as stage_ordinal,
        stages.is_terminal,
        coalesce(stage_map.valid_from, cast('0001-01-01' as timestamp)) as valid_from,
        coalesce(stage_map.valid_to, cast('9999-12-31' as timestamp)) as valid_to
    from stage_map
    inner join stages on stage_map.stage = stages.stage

)

select * from final
