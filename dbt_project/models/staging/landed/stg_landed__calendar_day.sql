with

source as (

    select * from {{ source("landed", "calendar_day") }}

),

final as (

    select
        -- times
        day,
        week_start,
        week_end,
        month_start,
        month_end,
        quarter_start,
        quarter_end,
        year_start,
        year_end,
        starts_at,
        ends_at
    from source

)

select * from final
