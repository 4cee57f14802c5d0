with

source as (

    select * from {{ source("landed", "plan_counting") }}

),

final as (

    select
        -- ids
        version,
        -- text
        department,
        metric,
        reason
    from source

)

select * from final
