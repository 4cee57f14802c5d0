-- Laws that both departments waive, for what, why and until when.
-- Grain: number.

with

landed as (

    select * from {{ ref("stg_landed__plan_waiver") }}

),

final as (

    select
        -- ids
        number,
        -- text
        law,
        scope,
        reason,
        waived_by,
        -- times
        expires_on,
        waived_at
    from landed

)

select * from final
