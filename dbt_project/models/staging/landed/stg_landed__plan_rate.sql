with

source as (

    select * from {{ source("landed", "plan_rate") }}

),

final as (

    select
        -- ids
        version,
        -- text
        currency,
        -- numbers
        rate
    from source

)

select * from final
