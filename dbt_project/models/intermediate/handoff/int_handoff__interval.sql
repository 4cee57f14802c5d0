-- How long each lead stood in each stage before the opportunity, by the clock and in business time.
-- Grain: lead_id, entry_number; the stages lead, mql, sal and sql. Who stands there still has stood
-- there until as_of. Business time is that of the version in force on the day of entry; empty: none
-- is, or it states no business hours.

with

intervals as (

    select * from {{ ref("int_lead__stage_interval") }}
    where stage in ('lead', 'mql', 'sal', 'sql')

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

business_days as (

    select * from {{ ref("int_plan__business_day") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

-- By itself: after another join DuckDB looks up the zone row by row, at four times the cost.
dated as (

    select
        intervals.lead_id,
        intervals.entry_number,
        intervals.stage,
        intervals.entered_at,
        intervals.left_at,
        coalesce(intervals.left_at, run_parameter.as_of) as until_at,
        {{ local_date("intervals.entered_at", "run_parameter.time_zone") }} as entered_date,
        {{ local_date(
            "coalesce(intervals.left_at, run_parameter.as_of)", "run_parameter.time_zone"
        ) }} as until_date
    from intervals
    cross join run_parameter

),

final as (

    select
        -- ids
        dated.lead_id,
        dated.entry_number,
        versions.version,
        -- text
        dated.stage,
        -- numbers
        {{ seconds_between("dated.entered_at", "dated.until_at") }} as elapsed_seconds,
        cast(
            {{ business_seconds("dated.until_at", "last_days") }}
            - {{ business_seconds("dated.entered_at", "first_days") }}
            as bigint
        ) as business_seconds,
        -- times
        dated.entered_at,
        dated.left_at,
        dated.until_at,
        dated.entered_date
    from dated
    left join versions
        on
            dated.entered_date >= versions.in_force_from
            and dated.entered_date < versions.in_force_to
    left join business_days as first_days
        on
            versions.version = first_days.version
            and dated.entered_date = first_days.day
    left join business_days as last_days
        on
            versions.version = last_days.version
            and dated.until_date = last_days.day

)

select * from final
