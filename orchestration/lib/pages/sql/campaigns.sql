-- Every campaign: what was spent, who came, how far they went; the largest spend first.
with spend as (
    select
        campaign_key,
        cast(sum(amount_minor) as bigint) as spend_minor
    from fct_spend__campaign_daily
    group by campaign_key
),

leads as (
    select
        campaign_key,
        count(*) as leads,
        count(first_mql_at) as mqls,
        count(first_sal_at) as sals,
        count(first_won_at) as wins
    from fct_lead
    group by campaign_key
)

select
    campaign.campaign_key,
    campaign.channel,
    campaign.segment,
    campaign.match_status,
    spend.spend_minor,
    leads.leads,
    leads.mqls,
    leads.sals,
    leads.wins,
    count(*) over () as all_rows
from dim_campaign as campaign
left join spend on campaign.campaign_key = spend.campaign_key
left join leads on campaign.campaign_key = leads.campaign_key
order by spend.spend_minor desc nulls last, leads.leads desc nulls last, campaign.campaign_key
limit $page_rows offset $page_skip
