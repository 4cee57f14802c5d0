-- Whatever no mapping knows: raw statuses without a stage, campaigns that neither spend nor the
-- list of campaigns has, currencies without an exponent or a rate. Named and counted, never
-- dropped.
-- Grain: feed, entity, kind, value.

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

stage_map as (

    select * from {{ ref("stg_landed__stage_map") }}

),

matches as (

    select * from {{ ref("int_campaign__match") }}
    where not is_mapped

),

versions as (

    select * from {{ ref("int_spend__version") }}

),

stated_statuses as (

    select
        _feed as feed,
        'lead' as entity,
        status as raw_status,
        occurred_at as stated_at
    from lead_events

    union all

    select
        _feed as feed,
        'lead' as entity,
        status as raw_status,
        coalesce(status_at, created_at) as stated_at
    from leads
    where status is not null

    union all

    select
        _feed as feed,
        'opportunity' as entity,
        stage as raw_status,
        occurred_at as stated_at
    from opportunity_events

    union all

    select
        _feed as feed,
        'opportunity' as entity,
        stage as raw_status,
        coalesce(stage_at, created_at) as stated_at
    from opportunities
    where stage is not null

),

unmapped_statuses as (

    select
        stated_statuses.feed,
        stated_statuses.entity,
        'status' as kind,
        stated_statuses.raw_status as value,
        count(*) as rows,
        min(stated_statuses.stated_at) as first_seen_at
    from stated_statuses
    left join stage_map
        on
            stated_statuses.feed = stage_map.feed
            and stated_statuses.entity = stage_map.entity
            and stated_statuses.raw_status = stage_map.raw_status
            and (
                stated_statuses.stated_at is null
                or stage_map.valid_from is null
                or stated_statuses.stated_at >= stage_map.valid_from
            )
            and (
                stated_statuses.stated_at is null
                or stage_map.valid_to is null
                or stated_statuses.stated_at < stage_map.valid_to
            )
    where stage_map.stage is null
    group by stated_statuses.feed, stated_statuses.entity, stated_statuses.raw_status

),

unmapped_campaigns as (

    select
        leads._feed as feed,
        'lead' as entity,
        'campaign' as kind,
        matches.campaign_key as value,
        count(*) as rows,
        min(leads.created_at) as first_seen_at
    from leads
    inner join matches
        on
            matches.entity = 'lead'
            and coalesce(leads.source, leads.utm_source) is not distinct from matches.source
            and coalesce(leads.campaign, leads.utm_campaign) is not distinct from matches.campaign
    group by leads._feed, matches.campaign_key

),

unpriced_versions as (

    select
        feed,
        spend_date,
        case
            when cost_minor is null then currency || ': not an ISO 4217 currency'
            else currency || ': no exchange rate on the day or in the week before'
        end as value
    from versions
    where amount_minor is null

),

unmapped_currencies as (

    select
        feed,
        'spend' as entity,
        'currency' as kind,
        value,
        count(*) as rows,
        min(cast(spend_date as timestamp)) as first_seen_at
    from unpriced_versions
    group by feed, value

),

final as (

    select * from unmapped_statuses

    union all

    select * from unmapped_campaigns

    union all

    select * from unmapped_currencies

)

select * from final
