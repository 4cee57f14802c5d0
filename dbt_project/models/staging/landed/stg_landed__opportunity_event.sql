with

source as (

    select * from {{ source("landed", "opportunity_events") }}

),

final as (

    select
        -- ids
        opportunity_id,
        -- text
        stage,
        currency,
        owner,
        -- numbers
        amount,
        -- times
        occurred_at,
        close_date,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
