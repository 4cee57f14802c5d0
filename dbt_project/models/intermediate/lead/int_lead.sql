-- The leads in the books: duplicates, merged and excluded ones are not here.
-- Grain: lead_id.
-- Where the lead became an opportunity whose stages are known, those govern from
-- `opportunity_from` on; an opportunity that was merged into another is that one.

with

leads as (

    select * from {{ ref("stg_landed__lead") }}

),

left_out as (

    select * from {{ ref("int_lead__left_out") }}

),

matches as (

    select * from {{ ref("int_campaign__match") }}
    where entity = 'lead'

),

campaigns as (

    select * from {{ ref("int_campaign") }}

),

opportunity_merges as (

    select * from {{ ref("int_merge") }}
    where entity = 'opportunity' and survivor_id is not null

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

opportunity_starts as (

    select
        opportunity_id,
        entered_at
    from {{ ref("int_opportunity__stage_interval") }}
    where entry_number = 1

),

lead_campaigns as (

    select
        matches.source,
        matches.campaign,
        matches.campaign_key,
        matches.valid_from_at,
        matches.valid_to_at,
        campaigns.source as canonical_source,
        campaigns.started_on
    from matches
    inner join campaigns on matches.campaign_key = campaigns.campaign_key

),

kept as (

    select
        leads.*,
        coalesce(opportunity_merges.survivor_id, leads.converted_opportunity_id)
            as opportunity_id,
        run_parameter.person_key as hash_key,
        run_parameter.cohort_period,
        {{ local_date("leads.created_at", "run_parameter.time_zone") }} as created_date
    from leads
    cross join run_parameter
    left join opportunity_merges
        on leads.converted_opportunity_id = opportunity_merges.record_id
    left join left_out
        on
            leads._feed = left_out._feed
            and leads._load = left_out._load
            and leads._line = left_out._line
    where left_out.lead_id is null

),

final as (

    select
        -- ids
        kept._feed as feed,
        kept.lead_id,
        {{ person_hash("kept.hash_key", "kept.email") }} as person_key,
        kept.opportunity_id as converted_opportunity_id,
        kept.contact_id,
        -- text
        lead_campaigns.canonical_source as source,
        lead_campaigns.campaign_key,
        kept.owner,
        kept.status as raw_status,
        -- numbers
        kept.score,
        -- booleans
        coalesce(kept.is_test, false) as is_test,
        -- times
        kept.created_at,
        kept.created_date,
        {{ cohort_start("kept.created_date", "kept.cohort_period", "lead_campaigns.started_on") }}
            as cohort_start_date,
        kept.status_at,
        case
            when opportunity_starts.entered_at is not null
                then greatest(opportunity_starts.entered_at, kept.created_at)
        end as opportunity_from,
        -- lineage
        kept._load,
        kept._file,
        kept._line,
        kept._loaded_at
    from kept
    inner join lead_campaigns
        on
            coalesce(kept.source, kept.utm_source) is not distinct from lead_campaigns.source
            and coalesce(kept.campaign, kept.utm_campaign)
            is not distinct from lead_campaigns.campaign
            and kept.created_at >= lead_campaigns.valid_from_at
            and kept.created_at < lead_campaigns.valid_to_at
    left join calendar_days on kept.created_date = calendar_days.day
    left join opportunity_starts
        on kept.opportunity_id = opportunity_starts.opportunity_id

)

select * from final
