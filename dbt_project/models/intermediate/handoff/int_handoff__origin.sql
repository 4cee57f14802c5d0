-- Which leads were never handed over, and which tell no time.
-- Grain: lead_id.
-- Sales-entered: accepted, or further, within a minute of its creation; somebody of Sales typed it
-- in. Created in bulk: ten or more of one feed in the same second, which people and forms are too
-- slow for; midnight is left out, since there a source states days and no times. Backdated: a
-- change into or out of mql is dated before the lead's creation, or its time is unknown, so that it
-- is estimated.

with

leads as (

    select * from {{ ref("int_lead") }}

),

intervals as (

    select * from {{ ref("int_lead__stage_interval") }}

),

stages as (

    select * from {{ ref("stages") }}

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

acceptance as (

    select max(ordinal) as ordinal
    from stages
    where stage = 'sal'

),

accepting as (

    select stages.stage
    from stages
    cross join acceptance
    where
        stages.kind = 'funnel'
        and stages.ordinal >= acceptance.ordinal

),

-- Days begin at the same instants as nothing else does: whoever was created then has a date only.
midnights as (

    select starts_at from calendar_days

),

seconds as (

    select
        feed,
        cast(date_trunc('second', created_at) as timestamp) as created_second,
        count(*) as leads
    from leads
    group by feed, cast(date_trunc('second', created_at) as timestamp)
    having count(*) >= {{ bulk_leads() }}

),

bulk as (

    select
        seconds.feed,
        seconds.created_second
    from seconds
    left join midnights on seconds.created_second = midnights.starts_at
    where
        midnights.starts_at is null
        and seconds.created_second <> cast(cast(seconds.created_second as date) as timestamp)

),

accepted as (

    select
        intervals.lead_id,
        min(intervals.entered_at) as accepted_at
    from intervals
    inner join accepting on intervals.stage = accepting.stage
    group by intervals.lead_id

),

estimated as (

    select distinct lead_id
    from intervals
    where
        is_time_estimated
        and (stage = 'mql' or from_stage = 'mql')

),

flagged as (

    select
        leads.lead_id,
        coalesce(
            {{ seconds_between("leads.created_at", "accepted.accepted_at") }} <= 60, false
        ) as is_sales_entered,
        bulk.feed is not null as is_bulk_created,
        estimated.lead_id is not null as is_backdated
    from leads
    left join accepted on leads.lead_id = accepted.lead_id
    left join bulk
        on
            leads.feed = bulk.feed
            and cast(date_trunc('second', leads.created_at) as timestamp) = bulk.created_second
    left join estimated on leads.lead_id = estimated.lead_id

),

final as (

    select
        lead_id,
        is_sales_entered,
        is_bulk_created,
        is_backdated,
        not is_sales_entered and not is_bulk_created and not is_backdated as is_timed
    from flagged

)

select * from final
