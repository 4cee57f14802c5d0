-- Whatever no mapping knows: raw statuses without a stage, campaigns that neither spend nor the
-- list of campaigns has, currencies without an exponent (a missing rate is law B9's), levels and
-- kinds of spend and of invoices that are none, and spellings of campaigns to which two meanings
-- are given at the same time. Named and counted, never dropped.
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

spend as (

    select * from {{ ref("stg_landed__spend") }}

),

revenue as (

    select * from {{ ref("stg_landed__revenue") }}

),

invoices as (

    select * from {{ ref("stg_landed__invoice") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),


meanings as (

    select * from {{ ref("int_campaign__meaning") }}
    where standing = 'counts'

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
            and leads.created_at >= matches.valid_from_at
            and leads.created_at < matches.valid_to_at
    group by leads._feed, matches.campaign_key

),

stated_currencies as (

    select
        _feed as feed,
        'spend' as entity,
        currency,
        cast(day as timestamp) as stated_at
    from spend

    union all

    select
        _feed as feed,
        'opportunity' as entity,
        currency,
        created_at as stated_at
    from opportunities
    where amount is not null

    union all

    select
        _feed as feed,
        'opportunity' as entity,
        currency,
        occurred_at as stated_at
    from opportunity_events
    where amount is not null and currency is not null

    union all

    select
        _feed as feed,
        'revenue' as entity,
        currency,
        occurred_at as stated_at
    from revenue

    union all

    select
        _feed as feed,
        'invoice' as entity,
        currency,
        cast(month as timestamp) as stated_at
    from invoices

),

unmapped_currencies as (

    select
        stated_currencies.feed,
        stated_currencies.entity,
        'currency' as kind,
        coalesce(stated_currencies.currency || ': not an ISO 4217 currency', '(no currency)')
            as value,
        count(*) as rows,
        min(stated_currencies.stated_at) as first_seen_at
    from stated_currencies
    left join currencies on stated_currencies.currency = currencies.currency
    where currencies.currency is null
    group by stated_currencies.feed, stated_currencies.entity, stated_currencies.currency

),

stated_kinds as (

    select
        _feed as feed,
        'spend' as entity,
        'level' as kind,
        level as value,
        cast(day as timestamp) as stated_at
    from spend
    where level not in ('', 'campaign', 'ad_group', 'ad')

    union all

    select
        _feed as feed,
        'spend' as entity,
        'kind' as kind,
        kind as value,
        cast(day as timestamp) as stated_at
    from spend
    where kind not in ('', 'media', 'credit', 'overhead')

    union all

    select
        _feed as feed,
        'invoice' as entity,
        'kind' as kind,
        kind as value,
        cast(month as timestamp) as stated_at
    from invoices
    where kind not in ('', 'media', 'credit', 'fee', 'tax')

),

unmapped_kinds as (

    select
        feed,
        entity,
        kind,
        value,
        count(*) as rows,
        min(stated_at) as first_seen_at
    from stated_kinds
    group by feed, entity, kind, value

),

-- Pairs of rows of campaign_names that hold at the same time: one in the alphabet before the other.
contradictions as (

    select
        meanings.feed,
        meanings.source || ' / ' || coalesce(meanings.campaign, '(any)')
        || ': ' || meanings.means_source || ' / ' || coalesce(meanings.means_campaign, '(as spelt)')
        || ', or ' || others.means_source || ' / '
        || coalesce(others.means_campaign, '(as spelt)') as value,
        greatest(meanings.valid_from, others.valid_from) as first_day
    from meanings
    inner join meanings as others
        on
            meanings.source_match = others.source_match
            and meanings.campaign_match = others.campaign_match
            and meanings.valid_from < others.valid_to
            and meanings.valid_to > others.valid_from
            and meanings.means_source_match || '/' || coalesce(meanings.means_campaign_match, '')
            < others.means_source_match || '/' || coalesce(others.means_campaign_match, '')

),

contradicting_names as (

    select
        feed,
        'campaign_name' as entity,
        'meaning' as kind,
        value,
        count(*) as rows,
        min(
            case when first_day > cast('0001-01-01' as date) then cast(first_day as timestamp) end
        ) as first_seen_at
    from contradictions
    group by feed, value

),

final as (

    select * from unmapped_statuses

    union all

    select * from unmapped_campaigns

    union all

    select * from unmapped_currencies

    union all

    select * from unmapped_kinds

    union all

    select * from contradicting_names

)

select * from final
