-- One row per opportunity, deleted ones and those Sales opened itself included.
select
    opportunity_name(lead.i) as opportunity_id,
    if(lead.kind = 'direct', null, lead_name(lead.i)) as lead_id,
    getvariable('stage_names')[lead.steps[lead.visible]] as stage,
    amount_minor(lead.i, lead.visible, lead.amount) as amount_minor,
    camp.currency,
    camp.campaign_key,
    at_second(lead.created_s + step_after(lead.i, lead.lead_count + 1, lead.gap)) as created_at,
    lead.steps[lead.visible] = 8 as is_won,
    lead.is_deleted,
from lead
inner join camp on lead.c = camp.c
where lead.has_deal
order by opportunity_id
