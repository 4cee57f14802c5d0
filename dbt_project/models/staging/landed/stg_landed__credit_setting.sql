with

source as (

    select * from {{ source("landed", "credit_setting") }}

),

final as (

    select
        -- text
        unit,
        -- numbers
        look_back_days,
        half_life_days
    from source

)

select * from final
