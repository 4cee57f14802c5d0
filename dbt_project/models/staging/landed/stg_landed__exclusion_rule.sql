with

source as (

    select * from {{ source("landed", "exclusion_rule") }}

),

final as (

    select
        -- ids
        rule,
        sha256,
        -- text
        entity,
        column_name,
        operator,
        text,
        -- times
        valid_from,
        valid_to
    from source

)

select * from final
