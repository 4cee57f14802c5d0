-- Deals whose number begins so, with the lead that each was made of.
select
    opportunity.opportunity_id,
    opportunity.stage,
    opportunity.campaign_key,
    opportunity.reporting_amount_minor as amount_minor,
    min(lead.lead_id) as lead_id
from fct_opportunity as opportunity
left join fct_lead as lead on opportunity.opportunity_id = lead.converted_opportunity_id
where starts_with(lower(opportunity.opportunity_id), lower($words))
group by all
order by opportunity.opportunity_id
limit 20
