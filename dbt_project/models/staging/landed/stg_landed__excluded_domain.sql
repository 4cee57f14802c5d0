with

source as (

    select * from {{ source("landed", "excluded_domain") }}

),

final as (

    select
        -- ids
        version,
        -- text
        domain
    from source

)

select * from final
