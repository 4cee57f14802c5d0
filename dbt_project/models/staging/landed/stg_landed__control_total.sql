with

source as (

    select * from {{ source("landed", "control_totals") }}

),

final as (

    select
        -- text
        source,
        account,
        currency,
        -- numbers
        cost,
        -- times
        month,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
