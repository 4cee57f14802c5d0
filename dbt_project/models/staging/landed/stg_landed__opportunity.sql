with

source as (

    select * from {{ source("landed", "opportunities") }}

),

final as (

    select
        -- ids
        opportunity_id,
        contact_id,
        -- text
        account,
        currency,
        owner,
        source,
        campaign,
        product,
        lower(trim(kind)) as kind,
        stage,
        reason,
        -- numbers
        amount,
        -- booleans
        is_deleted,
        -- times
        created_at,
        stage_at,
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
