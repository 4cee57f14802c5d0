with

source as (

    select * from {{ source("landed", "revenue") }}

),

final as (

    select
        -- ids
        revenue_id,
        opportunity_id,
        -- text
        item,
        account,
        currency,
        -- numbers
        amount,
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
