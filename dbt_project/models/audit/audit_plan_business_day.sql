-- When each day is worked by each version that states business hours.
-- Grain: version, day.

with

landed as (

    select * from {{ ref("stg_landed__plan_business_day") }}

),

final as (

    select
        -- ids
        version,
        -- times
        day,
        opens_at,
        closes_at
    from landed

)

select * from final
