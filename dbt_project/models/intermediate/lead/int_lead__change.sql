-- Every change of stage that the sources state for a lead in the books, and whether it counts: the
-- one place where the definition of qualified is applied. All else reads `is_counted` here.
-- Grain: none; the same change stated twice is here twice.
-- A lead's own events; for a lead without any, its status today, since `status_at` or, where that
-- is unknown, since it was landed (estimated). From its opportunity's first stage on, the stages of
-- the opportunity instead. A change before creation is posted at creation; one after as_of is not
-- in the books; a raw status that is not mapped makes no change.
-- A claim of qualified (a status mapped to mql) counts if the lead meets the definition in force at
-- that time; where a company has none, every claim counts. Scores, test marks and e-mails have no
-- history: today's are judged.

with

leads as (

    select * from {{ ref("int_lead") }}

),

lead_events as (

    select * from {{ ref("stg_landed__lead_event") }}

),

-- Imported again by themselves: a CTE that is read twice would be held in memory.
leads_today as (

    select * from {{ ref("int_lead") }}
    where raw_status is not null

),

leads_with_events as (

    select lead_id
    from {{ ref("stg_landed__lead_event") }}

),

leads_with_opportunity as (

    select * from {{ ref("int_lead") }}
    where opportunity_from is not null

),

opportunity_intervals as (

    select * from {{ ref("int_opportunity__stage_interval") }}

),

stage_map as (

    select * from {{ ref("int_stage_map") }}
    where entity = 'lead'

),

definitions as (

    select * from {{ ref("int_qualified_definition") }}

),

excluded_domains as (

    select * from {{ ref("int_lead__excluded_domain") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

event_changes as (

    select
        leads.lead_id,
        leads.feed as lead_feed,
        leads._load as lead_load,
        leads._line as lead_line,
        leads.score,
        leads.is_test,
        leads.created_at,
        leads.opportunity_from,
        stage_map.stage,
        stage_map.stage_ordinal,
        'lead_event' as origin,
        lead_events.status as raw_status,
        lead_events.actor,
        lead_events.reason,
        false as is_time_unknown,
        lead_events.occurred_at
    from lead_events
    cross join run_parameter
    inner join stage_map
        on
            lead_events._feed = stage_map.feed
            and lead_events.status = stage_map.raw_status
            and lead_events.occurred_at >= stage_map.valid_from
            and lead_events.occurred_at < stage_map.valid_to
    inner join leads on lead_events.lead_id = leads.lead_id
    where lead_events.occurred_at <= run_parameter.as_of

),

undocumented as (

    select
        leads_today.*,
        run_parameter.as_of,
        coalesce(leads_today.status_at, least(leads_today._loaded_at, run_parameter.as_of))
            as seen_at
    from leads_today
    cross join run_parameter
    where
        not exists (
            select 1
            from leads_with_events
            where leads_with_events.lead_id = leads_today.lead_id
        )

),

status_changes as (

    select
        undocumented.lead_id,
        undocumented.feed as lead_feed,
        undocumented._load as lead_load,
        undocumented._line as lead_line,
        undocumented.score,
        undocumented.is_test,
        undocumented.created_at,
        undocumented.opportunity_from,
        stage_map.stage,
        stage_map.stage_ordinal,
        'lead_status' as origin,
        undocumented.raw_status,
        cast(null as varchar) as actor,
        cast(null as varchar) as reason,
        undocumented.status_at is null as is_time_unknown,
        undocumented.seen_at as occurred_at
    from undocumented
    inner join stage_map
        on
            undocumented.feed = stage_map.feed
            and undocumented.raw_status = stage_map.raw_status
            and undocumented.seen_at >= stage_map.valid_from
            and undocumented.seen_at < stage_map.valid_to
    where undocumented.seen_at <= undocumented.as_of

),

own_changes as (

    select * from event_changes

    union all

    select * from status_changes

),

opportunity_changes as (

    select
        leads_with_opportunity.lead_id,
        leads_with_opportunity.feed as lead_feed,
        leads_with_opportunity._load as lead_load,
        leads_with_opportunity._line as lead_line,
        leads_with_opportunity.score,
        leads_with_opportunity.is_test,
        leads_with_opportunity.created_at,
        leads_with_opportunity.opportunity_from,
        opportunity_intervals.stage,
        opportunity_intervals.stage_ordinal,
        opportunity_intervals.origin,
        opportunity_intervals.raw_status,
        cast(null as varchar) as actor,
        cast(null as varchar) as reason,
        opportunity_intervals.is_time_estimated as is_time_unknown,
        opportunity_intervals.entered_at as occurred_at
    from leads_with_opportunity
    inner join opportunity_intervals
        on leads_with_opportunity.converted_opportunity_id = opportunity_intervals.opportunity_id

),

changes as (

    select * from own_changes
    where
        opportunity_from is null
        or (occurred_at < opportunity_from and created_at < opportunity_from)

    union all

    select * from opportunity_changes

),

posted as (

    select
        *,
        is_time_unknown or occurred_at < created_at as is_time_estimated,
        greatest(occurred_at, created_at) as entered_at
    from changes

),

final as (

    select
        posted.lead_id,
        posted.stage,
        posted.origin,
        posted.raw_status,
        posted.actor,
        posted.reason,
        definitions.version as qualified_version,
        posted.stage_ordinal,
        posted.is_time_estimated,
        posted.stage <> 'mql'
        or (
            (
                definitions.min_score is null
                or coalesce(posted.score >= definitions.min_score, false)
            )
            and not (coalesce(definitions.exclude_test, false) and posted.is_test)
            and excluded_domains.version is null
        ) as is_counted,
        posted.occurred_at,
        posted.entered_at
    from posted
    left join definitions
        on
            posted.stage = 'mql'
            and posted.entered_at >= definitions.valid_from
            and posted.entered_at < definitions.valid_to
    left join excluded_domains
        on
            posted.lead_feed = excluded_domains._feed
            and posted.lead_load = excluded_domains._load
            and posted.lead_line = excluded_domains._line
            and definitions.version = excluded_domains.version

)

select * from final
