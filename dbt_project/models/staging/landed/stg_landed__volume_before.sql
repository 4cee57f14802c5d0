with

source as (

    select * from {{ source("landed", "volume_before") }}

),

final as (

    select
        -- ids
        feed,
        table_name,
        -- numbers
        rows,
        -- booleans
        is_feed_read,
        -- times
        month
    from source

)

select * from final
