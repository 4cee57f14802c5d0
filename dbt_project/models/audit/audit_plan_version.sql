-- The locked versions of the plan and when each is in force.
-- Grain: version.

with

landed as (

    select * from {{ ref("stg_landed__plan_version") }}

),

final as (

    select
        -- ids
        version,
        -- text
        title,
        currency,
        reason,
        sha256,
        signed_by,
        -- booleans
        is_signed,
        -- times
        effective_from,
        effective_to
    from landed

)

select * from final
