with

source as (

    select * from {{ source("landed", "qualified_definition") }}

),

final as (

    select
        -- ids
        version,
        -- text
        sha256,
        -- numbers
        min_score,
        -- booleans
        exclude_test,
        -- times
        valid_from,
        valid_to
    from source

)

select * from final
