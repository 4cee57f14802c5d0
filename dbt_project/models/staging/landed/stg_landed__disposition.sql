with

source as (

    select * from {{ source("landed", "disposition") }}

),

final as (

    select
        -- ids
        feed,
        table_name,
        load as load_number,
        -- text
        disposition,
        reason,
        -- numbers
        rows
    from source

)

select * from final
