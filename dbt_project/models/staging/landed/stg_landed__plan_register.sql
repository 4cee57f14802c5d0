with

source as (

    select * from {{ source("landed", "plan_register") }}

),

final as (

    select
        -- text
        register,
        sha256,
        -- numbers
        rows
    from source

)

select * from final
