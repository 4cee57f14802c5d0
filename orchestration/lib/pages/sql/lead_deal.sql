-- The deal that the lead became.
select
    opportunity.opportunity_id,
    opportunity.stage,
    opportunity.owner,
    opportunity.reporting_amount_minor as amount_minor,
    opportunity.opened_reporting_amount_minor as opened_minor,
    opportunity.opened_date,
    opportunity.close_date,
    opportunity.won_at,
    opportunity.reason
from fct_opportunity as opportunity
inner join fct_lead as lead on opportunity.opportunity_id = lead.converted_opportunity_id
where lead.lead_id = $lead
