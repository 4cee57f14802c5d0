with

source as (

    select * from {{ source("landed", "plan_person") }}

),

final as (

    select
        -- ids
        version,
        -- text
        person,
        title,
        department
    from source

)

select * from final
