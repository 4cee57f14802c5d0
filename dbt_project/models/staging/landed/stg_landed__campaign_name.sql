with

source as (

    select * from {{ source("landed", "campaign_names") }}

),

final as (

    select
        -- text
        source,
        campaign,
        means_source,
        means_campaign,
        -- times
        valid_from,
        valid_to,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
