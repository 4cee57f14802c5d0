with

source as (

    select * from {{ source("landed", "plan_stage") }}

),

final as (

    select
        -- ids
        version,
        -- text
        stage,
        counts,
        definition
    from source

)

select * from final
