-- The campaign.
select
    campaign_key,
    source,
    campaign,
    kind,
    channel,
    segment,
    match_status,
    is_declared,
    started_on,
    ended_on
from dim_campaign
where campaign_key = $campaign
