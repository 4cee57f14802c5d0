-- The fiscal calendar of each version.
-- Grain: version, period.

with

landed as (

    select * from {{ ref("stg_landed__plan_period") }}

),

final as (

    select
        -- ids
        version,
        -- text
        period,
        period_kind,
        parent_period,
        -- numbers
        fiscal_year,
        -- times
        period_start_date,
        period_end_date
    from landed

)

select * from final
