with

source as (

    select * from {{ source("landed", "plan_day") }}

),

final as (

    select
        -- ids
        version,
        -- text
        curve,
        -- numbers
        weight,
        -- times
        day
    from source

)

select * from final
