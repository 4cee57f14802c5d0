-- Owner, tolerance and cadence of each KPI and transition, as the plan has them.
-- Grain: version, sheet_row.

with

landed as (

    select * from {{ ref("stg_landed__plan_kpi") }}

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
    from landed

)

select * from final
