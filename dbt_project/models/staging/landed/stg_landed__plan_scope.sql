with

source as (

    select * from {{ source("landed", "plan_scope") }}

),

final as (

    select
        -- ids
        version,
        -- text
        scope,
        level,
        parent_scope,
        member,
        -- numbers
        sheet_row,
        -- booleans
        is_stretch
    from source

)

select * from final
