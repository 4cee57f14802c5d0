with

source as (

    select * from {{ source("landed", "fx_rates") }}

),

final as (

    select
        -- text
        currency,
        -- numbers
        rate,
        -- times
        day,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
