with

source as (

    select * from {{ source("landed", "load") }}

),

final as (

    select
        -- ids
        feed,
        table_name,
        load as load_number,
        file,
        -- text
        mode,
        sha256,
        -- numbers
        raw_rows,
        landed_rows,
        quarantined_rows,
        -- booleans
        is_newest,
        -- times
        loaded_at,
        data_from,
        data_to
    from source

)

select * from final
