-- Times that cannot be: changes before creation, or after as_of. The books hold the first at the
-- time of creation (marked as estimated) and leave the second out; law B8 counts both.
-- A closing that only has a day is judged by days of the reporting time zone: closed on the day of
-- its creation is in order. A deal that was closed before its lead was created is the lead's.
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

leads_in_books as (

    select * from {{ ref("int_lead") }}
    where converted_opportunity_id is not null

),

opportunities_in_books as (

    select * from {{ ref("int_opportunity") }}

),

intervals as (

    select * from {{ ref("int_opportunity__stage_interval") }}

),

stages as (

    select * from {{ ref("stages") }}

),

-- The deals that stand closed, and since when.
standing as (

    select intervals.*
    from intervals
    inner join stages on intervals.stage = stages.stage
    where intervals.left_at is null and stages.is_terminal

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

-- Deals whose closing is known by its day alone.
closed_by_day as (

    select
        opportunities.feed,
        opportunities.opportunity_id,
        opportunities.raw_stage,
        opportunities.created_at,
        opportunities.close_date,
        opportunities._file,
        opportunities._line,
        {{ local_date("opportunities.created_at", "run_parameter.time_zone") }} as created_date,
        {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }} as as_of_date,
        {{ local_to_utc(
            "cast(opportunities.close_date as timestamp)", "run_parameter.time_zone"
        ) }} as occurred_at
    from opportunities_in_books as opportunities
    cross join run_parameter
    inner join standing
        on
            opportunities.opportunity_id = standing.opportunity_id
            and standing.origin = 'opportunity_stage'
    where opportunities.stage_at is null and opportunities.close_date is not null

),

closings as (

    select
        closed_by_day.opportunity_id,
        closed_by_day.raw_stage,
        closed_by_day.close_date,
        closed_by_day.occurred_at,
        coalesce(closed_by_day.close_date < closed_by_day.created_date, false) as is_reported
    from closed_by_day

    union all

    select
        standing.opportunity_id,
        standing.raw_status as raw_stage,
        cast(null as date) as close_date,
        standing.occurred_at,
        coalesce(standing.occurred_at < opportunity_creation.created_at, false) as is_reported
    from standing
    left join closed_by_day on standing.opportunity_id = closed_by_day.opportunity_id
    left join opportunity_creation
        on standing.opportunity_id = opportunity_creation.opportunity_id
    where closed_by_day.opportunity_id is null

),

impossible_closings as (

    select
        feed,
        'opportunity' as entity,
        opportunity_id as entity_id,
        case when close_date > as_of_date then 'future' else 'before_creation' end as problem,
        occurred_at,
        created_at,
        raw_stage as raw_status,
        _file,
        _line
    from closed_by_day
    where close_date > as_of_date or close_date < created_date

    union all

    select
        leads_in_books.feed,
        'lead' as entity,
        leads_in_books.lead_id as entity_id,
        'before_creation' as problem,
        closings.occurred_at,
        leads_in_books.created_at,
        closings.raw_stage as raw_status,
        leads_in_books._file,
        leads_in_books._line
    from leads_in_books
    inner join closings on leads_in_books.converted_opportunity_id = closings.opportunity_id
    where
        not closings.is_reported
        and (
            closings.close_date < leads_in_books.created_date
            or (closings.close_date is null and closings.occurred_at < leads_in_books.created_at)
        )

),

final as (

    select * from impossible_closings

    union all

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
