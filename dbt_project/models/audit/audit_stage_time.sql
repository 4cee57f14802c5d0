-- Times that cannot be: changes before creation, or after as_of. The books hold the first at the
-- time of creation (marked as estimated) and leave the second out; law B8 counts both.
-- Grain: feed, entity, entity_id, problem, occurred_at, raw_status.

with

lead_events as (

    select * from {{ ref("stg_landed__lead_event") }}

),

leads as (

    select * from {{ ref("stg_landed__lead") }}

),

opportunities as (

    select * from {{ ref("stg_landed__opportunity") }}

),

opportunity_events as (

    select * from {{ ref("stg_landed__opportunity_event") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

lead_creation as (

    select
        lead_id,
        min(created_at) as created_at
    from leads
    group by lead_id

),

opportunity_creation as (

    select
        opportunity_id,
        min(created_at) as created_at
    from opportunities
    group by opportunity_id

),

stated_times as (

    select
        lead_events._feed as feed,
        'lead' as entity,
        lead_events.lead_id as entity_id,
        lead_events.occurred_at,
        lead_creation.created_at,
        lead_events.status as raw_status,
        lead_events._file,
        lead_events._line
    from lead_events
    inner join lead_creation on lead_events.lead_id = lead_creation.lead_id

    union all

    select
        _feed as feed,
        'lead' as entity,
        lead_id as entity_id,
        status_at as occurred_at,
        created_at,
        status as raw_status,
        _file,
        _line
    from leads
    where status_at is not null

    union all

    select
        _feed as feed,
        'lead' as entity,
        lead_id as entity_id,
        created_at as occurred_at,
        created_at,
        cast(null as varchar) as raw_status,
        _file,
        _line
    from leads

    union all

    select
        opportunity_events._feed as feed,
        'opportunity' as entity,
        opportunity_events.opportunity_id as entity_id,
        opportunity_events.occurred_at,
        opportunity_creation.created_at,
        opportunity_events.stage as raw_status,
        opportunity_events._file,
        opportunity_events._line
    from opportunity_events
    inner join opportunity_creation
        on opportunity_events.opportunity_id = opportunity_creation.opportunity_id

    union all

    select
        _feed as feed,
        'opportunity' as entity,
        opportunity_id as entity_id,
        stage_at as occurred_at,
        created_at,
        stage as raw_status,
        _file,
        _line
    from opportunities
    where stage_at is not null

    union all

    select
        _feed as feed,
        'opportunity' as entity,
        opportunity_id as entity_id,
        created_at as occurred_at,
        created_at,
        cast(null as varchar) as raw_status,
        _file,
        _line
    from opportunities
    where created_at is not null

),

final as (

    select
        stated_times.feed,
        stated_times.entity,
        stated_times.entity_id,
        case
            when stated_times.occurred_at > run_parameter.as_of then 'future'
            else 'before_creation'
        end as problem,
        stated_times.occurred_at,
        stated_times.created_at,
        stated_times.raw_status,
        stated_times._file,
        stated_times._line
    from stated_times
    cross join run_parameter
    where
        stated_times.occurred_at > run_parameter.as_of
        or stated_times.occurred_at < stated_times.created_at

)

select * from final
