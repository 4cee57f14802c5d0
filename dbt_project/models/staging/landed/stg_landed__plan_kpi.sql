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
        action,
        -- numbers
        sheet_row,
        tolerance_pct,
        cadence_days,
        window_days,
        sla_hours,
        trigger_pct
    from source

)

select * from final
