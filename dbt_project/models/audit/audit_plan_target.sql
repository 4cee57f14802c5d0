-- The targets, one row a figure; money in major units of the plan's currency.
-- Grain: version, period, scope, metric.

with

landed as (

    select * from {{ ref("stg_landed__plan_target") }}

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
    from landed

)

select * from final
