-- What each stage means by the plan, and which entry of a lead counts.
-- Grain: version, stage.

with

landed as (

    select * from {{ ref("stg_landed__plan_stage") }}

),

final as (

    select
        -- ids
        version,
        stage,
        -- text
        counts,
        definition
    from landed

)

select * from final
