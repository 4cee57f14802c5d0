-- Leads whose number begins so.
select
    lead_id,
    campaign_key,
    stage,
    created_at
from fct_lead
where starts_with(lower(lead_id), lower($words))
order by lead_id
limit 20
