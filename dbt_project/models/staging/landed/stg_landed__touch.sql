with

source as (

    select * from {{ source("landed", "touches") }}

),

final as (

    select
        -- ids
        touch_id,
        lead_id,
        -- text
        email,
        source,
        campaign,
        utm_source,
        utm_medium,
        utm_campaign,
        kind,
        -- times
        occurred_at,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
