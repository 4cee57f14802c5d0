-- When each day is worked, and the business time before it, by each version that states hours.
-- Grain: version, day. Every day of the version has a row: a day off closes when it opens.

with

business_days as (

    select * from {{ ref("stg_landed__plan_business_day") }}

),

timed as (

    select
        version,
        day,
        opens_at,
        closes_at,
        {{ seconds_between("opens_at", "closes_at") }} as open_seconds
    from business_days

),

final as (

    select
        version,
        cast(
            sum(open_seconds) over (
                partition by version
                order by day
            ) - open_seconds as bigint
        ) as seconds_before,
        day,
        opens_at,
        closes_at
    from timed

)

select * from final
