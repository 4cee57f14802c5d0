with

source as (

    select * from {{ source("landed", "plan_kpi") }}

),

final as (

    select
        -- ids
        version,
        -- text
        metric,
        scope,
        owner,
        owner_department,
        curve,
        -- numbers
        sheet_row,
        tolerance_pct,
        cadence_days,
        window_days,
        sla_hours
    from source

)

select * from final
