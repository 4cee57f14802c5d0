with

source as (

    select * from {{ source("landed", "plan_business_day") }}

),

final as (

    select
        -- ids
        version,
        -- times
        day,
        opens_at,
        closes_at
    from source

)

select * from final
