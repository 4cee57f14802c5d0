-- Spend and records that do not meet, in buckets of their own: spend without leads, leads without
-- spend, campaigns that nobody declared, and what belongs to no campaign.
-- Grain: campaign_key (campaigns and buckets that are not matched and to which anything belongs).
-- Money is in the reporting currency and adds up; what has no rate is counted beside it.

with

campaigns as (

    select * from {{ ref("dim_campaign") }}
    where match_status not in ('matched', 'overhead')

),

spend as (

    select * from {{ ref("fct_spend__campaign_daily") }}

),

leads as (

    select * from {{ ref("int_lead") }}

),

touches as (

    select * from {{ ref("int_touch") }}

),

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

amounts as (

    select * from {{ ref("int_opportunity__amount") }}

),

spend_sums as (

    select
        campaign_key,
        {{ exact_sum("amount_minor") }} as spend_minor,
        sum(case when amount_minor is null then 1 else 0 end) as unpriced_spend_days
    from spend
    group by campaign_key

),

lead_counts as (

    select
        campaign_key,
        count(*) as leads
    from leads
    group by campaign_key

),

touch_counts as (

    select
        campaign_key,
        count(*) as touches
    from touches
    group by campaign_key

),

opportunity_sums as (

    select
        opportunities.campaign_key,
        count(*) as opportunities,
        {{ exact_sum("amounts.reporting_amount_minor") }} as opportunity_minor,
        sum(case when amounts.reporting_amount_minor is null then 1 else 0 end)
            as opportunities_without_amount
    from opportunities
    left join amounts on opportunities.opportunity_id = amounts.opportunity_id
    group by opportunities.campaign_key

),

final as (

    select
        campaigns.campaign_key,
        campaigns.source,
        campaigns.campaign,
        campaigns.match_status,
        coalesce(spend_sums.spend_minor, 0) as spend_minor,
        cast(coalesce(spend_sums.unpriced_spend_days, 0) as bigint) as unpriced_spend_days,
        coalesce(lead_counts.leads, 0) as leads,
        coalesce(touch_counts.touches, 0) as touches,
        coalesce(opportunity_sums.opportunities, 0) as opportunities,
        coalesce(opportunity_sums.opportunity_minor, 0) as opportunity_minor,
        cast(coalesce(opportunity_sums.opportunities_without_amount, 0) as bigint)
            as opportunities_without_amount
    from campaigns
    left join spend_sums on campaigns.campaign_key = spend_sums.campaign_key
    left join lead_counts on campaigns.campaign_key = lead_counts.campaign_key
    left join touch_counts on campaigns.campaign_key = touch_counts.campaign_key
    left join opportunity_sums on campaigns.campaign_key = opportunity_sums.campaign_key
    where
        spend_sums.campaign_key is not null
        or lead_counts.campaign_key is not null
        or touch_counts.campaign_key is not null
        or opportunity_sums.campaign_key is not null

)

select * from final
