with

source as (

    select * from {{ source("landed", "lead_events") }}

),

final as (

    select
        -- ids
        lead_id,
        -- text
        status,
        actor,
        reason,
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
