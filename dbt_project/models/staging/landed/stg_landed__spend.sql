with

source as (

    select * from {{ source("landed", "spend") }}

),

final as (

    select
        -- text
        source,
        account,
        campaign,
        currency,
        lower(trim(kind)) as kind,
        lower(trim(level)) as level,
        ad_group,
        ad,
        -- numbers
        cost,
        impressions,
        clicks,
        -- times
        day,
        loaded_at,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
