-- Up to when what a feed says of its leads, opportunities and spend is known, and whether it is
-- late.
-- Grain: feed, entity (lead, opportunity, spend).
-- A lead that reached nothing within its window has failed only if its feed would have said
-- otherwise: silence counts up to the newest change that was delivered. That is the newest event
-- of the feed or, where it has none, of the feeds that deliver only events or, without any, the
-- newest lead. Null: nothing has a time. Late is what law B11 calls late.

with

loads as (

    select * from {{ ref("stg_landed__load") }}

),

cadences as (

    select * from {{ ref("stg_landed__cadence") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

newest_loads as (

    select
        feed,
        table_name,
        max(data_to) as newest_at
    from loads
    group by feed, table_name

),

deliveries as (

    select
        newest_loads.feed,
        newest_loads.table_name,
        newest_loads.newest_at,
        coalesce(
            {{ seconds_between("newest_loads.newest_at", "run_parameter.as_of") }}
            > cadences.cadence_hours * 3600,
            cadences.cadence_hours is not null
        ) as is_late
    from newest_loads
    cross join run_parameter
    left join cadences
        on
            newest_loads.feed = cadences.feed
            and newest_loads.table_name = cadences.table_name

),

owners as (

    select
        feed,
        newest_at,
        is_late,
        case table_name
            when 'leads' then 'lead'
            when 'opportunities' then 'opportunity'
            else 'spend'
        end as entity
    from deliveries
    where table_name in ('leads', 'opportunities', 'spend')

),

events as (

    select
        feed,
        newest_at,
        is_late,
        case table_name when 'lead_events' then 'lead' else 'opportunity' end as entity
    from deliveries
    where table_name in ('lead_events', 'opportunity_events') and newest_at is not null

),

-- Feeds that deliver events of what others deliver: the slowest of them counts.
event_feeds as (

    select
        events.entity,
        min(events.newest_at) as newest_at,
        max(case when events.is_late then 1 else 0 end) = 1 as is_late
    from events
    left join owners
        on
            events.feed = owners.feed
            and events.entity = owners.entity
    where owners.feed is null
    group by events.entity

),

final as (

    select
        owners.feed,
        owners.entity,
        coalesce(events.is_late, event_feeds.is_late, owners.is_late) as is_late,
        coalesce(events.newest_at, event_feeds.newest_at, owners.newest_at) as complete_until
    from owners
    left join events
        on
            owners.feed = events.feed
            and owners.entity = events.entity
    left join event_feeds on owners.entity = event_feeds.entity

)

select * from final
