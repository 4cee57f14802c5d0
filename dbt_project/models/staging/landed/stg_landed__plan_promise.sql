with

source as (

    select * from {{ source("landed", "plan_promise") }}

),

final as (

    select
        -- ids
        version,
        -- text
        department,
        period,
        scope,
        metric,
        promised_by,
        -- numbers
        value,
        sheet_row
    from source

)

select * from final
