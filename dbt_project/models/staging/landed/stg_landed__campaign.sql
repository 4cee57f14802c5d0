with

source as (

    select * from {{ source("landed", "campaigns") }}

),

final as (

    select
        -- text
        source,
        campaign,
        channel,
        segment,
        -- times
        started_on,
        ended_on,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
