with

source as (

    select * from {{ source("landed", "plan_target") }}

),

final as (

    select
        -- ids
        version,
        -- text
        period,
        scope,
        metric,
        -- numbers
        value,
        sheet_row
    from source

)

select * from final
