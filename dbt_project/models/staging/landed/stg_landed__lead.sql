with

source as (

    select * from {{ source("landed", "leads") }}

),

final as (

    select
        -- ids
        lead_id,
        converted_opportunity_id,
        contact_id,
        -- text
        email,
        company,
        source,
        campaign,
        utm_source,
        utm_medium,
        utm_campaign,
        owner,
        status,
        merged_into,
        -- numbers
        score,
        -- booleans
        is_test,
        -- times
        created_at,
        status_at,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
