with

source as (

    select * from {{ source("landed", "plan_note") }}

),

final as (

    select
        -- ids
        number,
        -- text
        item,
        why,
        action,
        noted_by,
        -- booleans
        closes,
        -- times
        due_date,
        noted_at
    from source

)

select * from final
