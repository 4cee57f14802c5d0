-- One row per opportunity the CRM holds: deleted ones, clones, those Sales opened itself and second
-- records of the same deal included; only the `kept` are in the books. Amounts are null as long as
-- nobody knows them.
select
    opportunity_name(deal.o) as opportunity_id,
    case
        when deal.origin = 'duplicate' then 'merged'
        when deal.is_deleted then 'excluded'
        else 'kept'
    end as disposition,
    if(deal.origin = 'duplicate', opportunity_name(deal.i), null) as survivor_opportunity_id,
    if(deal.is_direct or deal.origin <> 'own', null, lead_name(deal.i)) as lead_id,
    coalesce(deal.deal_kind, 'new') as kind,
    getvariable('stage_names')[deal.now.step] as stage,
    deal.opened_minor as opened_amount_minor,
    deal.now.minor as amount_minor,
    camp.currency,
    deal.owner,
    deal.now.close_date as close_date,
    camp.campaign_key,
    at_second(deal.opened_s) as created_at,
    deal.now.step = 8 as is_won,
    deal.is_deleted,
from deal
inner join camp on deal.c = camp.c
order by opportunity_id
