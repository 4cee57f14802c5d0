with

source as (

    select * from {{ source("landed", "plan") }}

),

final as (

    select
        -- text
        scope,
        metric,
        currency,
        owner,
        -- numbers
        value,
        window_days,
        tolerance_pct,
        cadence_days,
        -- times
        period_start,
        period_end,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
