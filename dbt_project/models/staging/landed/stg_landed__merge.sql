with

source as (

    select * from {{ source("landed", "merges") }}

),

final as (

    select
        -- ids
        record_id,
        merged_into,
        -- text
        lower(trim(entity)) as entity,
        -- times
        merged_at,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
