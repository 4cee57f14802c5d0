-- How far each register reached: a later run sees whether its end was cut off.
-- Grain: register.

with

landed as (

    select * from {{ ref("stg_landed__plan_register") }}

),

final as (

    select
        -- text
        register,
        sha256,
        -- numbers
        rows
    from landed

)

select * from final
