with

source as (

    select * from {{ source("landed", "contact_roles") }}

),

final as (

    select
        -- ids
        opportunity_id,
        contact_id,
        -- text
        role,
        -- booleans
        is_primary,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
