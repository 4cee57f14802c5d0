with

source as (

    select * from {{ source("landed", "claims") }}

),

final as (

    select
        -- text
        department,
        metric,
        scope,
        currency,
        -- numbers
        value,
        -- times
        period_start,
        period_end,
        as_of,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
