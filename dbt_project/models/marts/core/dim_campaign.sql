-- The campaigns that anything belongs to, and one bucket per source for what belongs to none.
-- Grain: campaign_key.

with

campaigns as (

    select * from {{ ref("int_campaign") }}

),

leads as (

    select distinct campaign_key
    from {{ ref("int_lead") }}

),

final as (

    select
        campaigns.campaign_key,
        campaigns.source,
        campaigns.campaign,
        campaigns.kind,
        campaigns.channel,
        campaigns.segment,
        case
            when campaigns.kind <> 'campaign' then campaigns.kind
            when not (campaigns.is_declared or campaigns.has_spend) then 'unmapped'
            when campaigns.has_spend and leads.campaign_key is not null then 'matched'
            when campaigns.has_spend then 'spend_without_leads'
            when leads.campaign_key is not null then 'leads_without_spend'
            else 'idle'
        end as match_status,
        campaigns.is_declared,
        campaigns.has_spend,
        campaigns.started_on,
        campaigns.ended_on
    from campaigns
    left join leads on campaigns.campaign_key = leads.campaign_key

)

select * from final
