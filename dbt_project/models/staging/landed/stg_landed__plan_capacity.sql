with

source as (

    select * from {{ source("landed", "plan_capacity") }}

),

final as (

    select
        -- ids
        version,
        -- text
        period,
        scope,
        -- numbers
        reps,
        leads_per_rep,
        sheet_row
    from source

)

select * from final
