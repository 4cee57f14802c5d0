-- Which campaign a row belongs to, by what it says about source and campaign.
-- Grain: entity, source, campaign, kind. Source and campaign may be null: join with
-- `is not distinct from`.
-- Of several spellings that of the list of campaigns wins, then that of spend, then that of leads;
-- among equals the first in the alphabet.

with

names as (

    select * from {{ ref("int_campaign__name") }}

),

ranked_sources as (

    select
        source_match,
        trim(source) as source,
        row_number() over (
            partition by source_match
            order by precedence, trim(source)
        ) as preference
    from names
    where has_source

),

sources as (

    select
        source_match,
        source
    from ranked_sources
    where preference = 1

),

ranked_campaigns as (

    select
        source_match,
        campaign_match,
        trim(campaign) as campaign,
        row_number() over (
            partition by source_match, campaign_match
            order by precedence, trim(campaign)
        ) as preference
    from names
    where campaign_match is not null

),

campaigns as (

    select
        source_match,
        campaign_match,
        campaign
    from ranked_campaigns
    where preference = 1

),

known as (

    select distinct
        source_match,
        campaign_match
    from names
    where entity in ('campaign', 'spend') and campaign_match is not null

),

spelt as (

    select
        names.entity,
        names.source,
        names.campaign,
        names.kind,
        coalesce(sources.source, '(unknown)') as canonical_source,
        campaigns.campaign as canonical_campaign,
        case
            when names.kind = 'overhead' then 'overhead'
            when names.campaign_match is null then 'no_campaign'
            else 'campaign'
        end as campaign_kind,
        names.campaign_match is null or known.campaign_match is not null as is_mapped
    from names
    left join sources on names.source_match = sources.source_match
    left join campaigns
        on
            names.source_match = campaigns.source_match
            and names.campaign_match = campaigns.campaign_match
    left join known
        on
            names.source_match = known.source_match
            and names.campaign_match = known.campaign_match

),

final as (

    select
        entity,
        source,
        campaign,
        kind,
        canonical_source || ' / ' || case campaign_kind
            when 'overhead' then '(overhead)'
            when 'no_campaign' then '(no campaign)'
            else canonical_campaign
        end as campaign_key,
        canonical_source,
        canonical_campaign,
        campaign_kind,
        is_mapped
    from spelt

)

select * from final
