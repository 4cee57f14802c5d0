-- Every change of stage that the sources state for a lead that is not in the books.
-- Grain: none; the same change stated twice is here twice.
-- By the rules of int_lead__change, but for what left the lead out: a test record that is called
-- qualified meets the definition if it would without being one.

with

leads as (

    select * from {{ ref("int_claim__left_out_lead") }}

),

lead_events as (

    select * from {{ ref("stg_landed__lead_event") }}

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

stated as (

    select
        leads.*,
        lead_events._feed as status_feed,
        lead_events.status as stated_status,
        lead_events.occurred_at
    from leads
    cross join run_parameter
    inner join lead_events on leads.lead_id = lead_events.lead_id
    where lead_events.occurred_at <= run_parameter.as_of

    union all

    select
        leads.*,
        leads._feed as status_feed,
        leads.raw_status as stated_status,
        coalesce(leads.status_at, least(leads._loaded_at, run_parameter.as_of)) as occurred_at
    from leads
    cross join run_parameter
    where
        leads.raw_status is not null
        and coalesce(leads.status_at, run_parameter.as_of) <= run_parameter.as_of
        and not exists (
            select 1
            from lead_events
            where lead_events.lead_id = leads.lead_id
        )

),

own_changes as (

    select
        stated.*,
        stage_map.stage,
        stage_map.stage_ordinal
    from stated
    inner join stage_map
        on
            stated.status_feed = stage_map.feed
            and stated.stated_status = stage_map.raw_status
            and stated.occurred_at >= stage_map.valid_from
            and stated.occurred_at < stage_map.valid_to
    where
        stated.opportunity_from is null
        or (
            stated.occurred_at < stated.opportunity_from
            and stated.created_at < stated.opportunity_from
        )

),

opportunity_changes as (

    select
        leads.*,
        leads._feed as status_feed,
        opportunity_intervals.raw_status as stated_status,
        opportunity_intervals.entered_at as occurred_at,
        opportunity_intervals.stage,
        opportunity_intervals.stage_ordinal
    from leads
    inner join opportunity_intervals
        on leads.converted_opportunity_id = opportunity_intervals.opportunity_id

),

changes as (

    select * from own_changes

    union all

    select * from opportunity_changes

),

posted as (

    select
        *,
        greatest(occurred_at, created_at) as entered_at
    from changes

),

final as (

    select
        posted.record_id,
        posted.campaign_key,
        posted.left_out_reason,
        posted.second_reason,
        posted.created_date,
        posted.stage,
        posted.stage_ordinal,
        posted.stated_status as raw_status,
        posted.stage <> 'mql'
        or (
            (
                definitions.min_score is null
                or coalesce(posted.score >= definitions.min_score, false)
            )
            and (
                'test_record' in (posted.left_out_reason, coalesce(posted.second_reason, ''))
                or not (coalesce(definitions.exclude_test, false) and posted.is_test)
            )
            and (
                'excluded_domain' in (posted.left_out_reason, coalesce(posted.second_reason, ''))
                or excluded_domains.version is null
            )
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
            posted._feed = excluded_domains._feed
            and posted._load = excluded_domains._load
            and posted._line = excluded_domains._line
            and definitions.version = excluded_domains.version

)

select * from final
