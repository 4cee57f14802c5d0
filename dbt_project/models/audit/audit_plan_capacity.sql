-- Accepted leads that Sales says it can work.
-- Grain: version, period, scope.

with

landed as (

    select * from {{ ref("stg_landed__plan_capacity") }}

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
    from landed

)

select * from final
