-- What is known of each opportunity and when: every event of it or, without any, its row of today.
-- Grain: opportunity_id, change_number.
-- A change before creation is posted at creation; one after as_of is not in the books; a raw stage
-- that is not mapped is no change of stage, but what else the event says counts.
-- An opportunity without any event stands where it stands today, since `stage_at`; where that is
-- unknown, since its close date if the stage is final, else since it was landed: both estimated.

with

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

opportunity_events as (

    select * from {{ ref("stg_landed__opportunity_event") }}

),

stage_map as (

    select * from {{ ref("int_stage_map") }}
    where entity = 'opportunity'

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

event_changes as (

    select
        opportunities.opportunity_id,
        opportunity_events.occurred_at,
        coalesce(opportunity_events.occurred_at < opportunities.created_at, false)
            as is_time_estimated,
        opportunities.created_at,
        stage_map.stage,
        stage_map.stage_ordinal,
        'opportunity_event' as origin,
        opportunity_events.stage as raw_status,
        opportunity_events.amount,
        opportunity_events.currency,
        opportunity_events.owner,
        opportunity_events.close_date
    from opportunity_events
    cross join run_parameter
    inner join opportunities
        on opportunity_events.opportunity_id = opportunities.opportunity_id
    left join stage_map
        on
            opportunity_events._feed = stage_map.feed
            and opportunity_events.stage = stage_map.raw_status
            and opportunity_events.occurred_at >= stage_map.valid_from
            and opportunity_events.occurred_at < stage_map.valid_to
    where opportunity_events.occurred_at <= run_parameter.as_of

),

-- The instant at which a stage of unknown time is looked up in the stage map.
undocumented as (

    select
        opportunities.*,
        run_parameter.as_of,
        coalesce(
            opportunities.stage_at,
            least(opportunities._loaded_at, run_parameter.as_of)
        ) as seen_at,
        {{ local_to_utc(
            "cast(opportunities.close_date as timestamp)", "run_parameter.time_zone"
        ) }} as close_at
    from opportunities
    cross join run_parameter
    where
        opportunities.raw_stage is not null
        and not exists (
            select 1
            from opportunity_events
            where opportunity_events.opportunity_id = opportunities.opportunity_id
        )

),

current_changes as (

    select
        undocumented.opportunity_id,
        case
            when
                undocumented.stage_at is null
                and stage_map.is_terminal
                and undocumented.close_at <= undocumented.as_of
                then undocumented.close_at
            else undocumented.seen_at
        end as occurred_at,
        undocumented.stage_at is null
        or coalesce(undocumented.stage_at < undocumented.created_at, false) as is_time_estimated,
        undocumented.created_at,
        stage_map.stage,
        stage_map.stage_ordinal,
        'opportunity_stage' as origin,
        undocumented.raw_stage as raw_status,
        undocumented.amount,
        undocumented.currency,
        undocumented.owner,
        undocumented.close_date
    from undocumented
    inner join stage_map
        on
            undocumented.feed = stage_map.feed
            and undocumented.raw_stage = stage_map.raw_status
            and undocumented.seen_at >= stage_map.valid_from
            and undocumented.seen_at < stage_map.valid_to
    where undocumented.seen_at <= undocumented.as_of

),

changes as (

    select * from event_changes

    union all

    select * from current_changes

),

-- `greatest` leaves out a creation that is unknown.
posted as (

    select
        *,
        greatest(occurred_at, created_at) as entered_at
    from changes

),

final as (

    select
        opportunity_id,
        stage,
        origin,
        raw_status,
        currency,
        owner,
        row_number() over (
            partition by opportunity_id
            order by
                entered_at,
                occurred_at,
                stage_ordinal nulls first,
                raw_status,
                amount nulls last,
                currency nulls last,
                owner nulls last,
                close_date nulls last
        ) as change_number,
        stage_ordinal,
        amount,
        is_time_estimated,
        occurred_at,
        entered_at,
        close_date
    from posted

)

select * from final
