with

source as (

    select * from {{ source("landed", "stage_map") }}

),

final as (

    select
        -- ids
        feed,
        -- text
        entity,
        raw_status,
        stage,
        -- times
        valid_from,
        valid_to
    from source

)

select * from final
