with

source as (

    select * from {{ source("landed", "contacts") }}

),

final as (

    select
        -- ids
        contact_id,
        -- text
        email,
        account,
        owner,
        -- times
        created_at,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
