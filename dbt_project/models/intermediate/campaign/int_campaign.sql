-- The campaigns that anything belongs to, and one bucket per source for what belongs to none.
-- Grain: campaign_key.

with

matches as (

    select * from {{ ref("int_campaign__match") }}

),

by_key as (

    select
        campaign_key,
        min(canonical_source) as source,
        min(canonical_campaign) as campaign,
        min(campaign_kind) as kind,
        max(case when entity = 'campaign' then 1 else 0 end) = 1 as is_declared,
        max(case when entity = 'spend' then 1 else 0 end) = 1 as has_spend
    from matches
    group by campaign_key

),

declarations as (

    select * from {{ ref("int_campaign__declaration") }}
    where recency = 1

),

final as (

    select
        by_key.campaign_key,
        by_key.source,
        by_key.campaign,
        by_key.kind,
        declarations.channel,
        declarations.segment,
        by_key.is_declared,
        by_key.has_spend,
        declarations.started_on,
        declarations.ended_on
    from by_key
    left join declarations on by_key.campaign_key = declarations.campaign_key

)

select * from final
