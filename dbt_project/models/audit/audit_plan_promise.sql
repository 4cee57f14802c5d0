-- What each department commits to; money in major units.
-- Grain: version, department, period, scope, metric.

with

landed as (

    select * from {{ ref("stg_landed__plan_promise") }}

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
    from landed

)

select * from final
