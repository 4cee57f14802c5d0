with

source as (

    select * from {{ source("landed", "plan_explanation") }}

),

final as (

    select
        -- ids
        number,
        -- text
        department,
        metric,
        scope,
        reason,
        note,
        explained_by,
        -- numbers
        value,
        -- times
        period_start_date,
        period_end_date,
        explained_at
    from source

)

select * from final
