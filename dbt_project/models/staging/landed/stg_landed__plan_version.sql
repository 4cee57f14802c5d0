with

source as (

    select * from {{ source("landed", "plan_version") }}

),

final as (

    select
        -- ids
        version,
        -- text
        title,
        currency,
        reason,
        sha256,
        signed_by,
        -- booleans
        is_signed,
        -- times
        effective_from,
        effective_to
    from source

)

select * from final
