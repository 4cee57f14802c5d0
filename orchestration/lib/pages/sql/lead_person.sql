-- Other leads of the same person, and records that were merged into this one.
select
    other.lead_id as record_id,
    'lead of the same person' as relation,
    other.stage,
    other.campaign_key,
    other.created_at
from fct_lead as lead
inner join fct_lead as other
    on lead.person_key = other.person_key and lead.lead_id <> other.lead_id
where lead.lead_id = $lead
union all
select
    record_id,
    'merged into this lead' as relation,
    null as stage,
    null as campaign_key,
    merged_at as created_at
from dim_merge
where survivor_id = $lead and entity = 'lead'
order by relation, created_at, record_id
limit 50
