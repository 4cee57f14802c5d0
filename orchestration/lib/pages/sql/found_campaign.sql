-- Campaigns whose name holds the words.
select
    campaign_key,
    channel,
    segment
from dim_campaign
where contains(lower(campaign_key), lower($words))
order by campaign_key
limit 20
