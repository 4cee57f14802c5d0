with

source as (

    select * from {{ source("landed", "plan_scope_source") }}

),

final as (

    select
        -- ids
        version,
        -- text
        scope,
        source
    from source

)

select * from final
