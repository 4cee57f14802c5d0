-- Every stage the deal was in, and what it was worth.
select
    trail.entry_number,
    trail.stage,
    trail.raw_status,
    trail.entered_at,
    trail.left_at,
    round(epoch(trail.left_at - trail.entered_at) / 3600.0, 1) as stayed_hours,
    trail.reporting_amount_minor as amount_minor
from fct_opportunity_stage__interval as trail
inner join fct_lead as lead on trail.opportunity_id = lead.converted_opportunity_id
where lead.lead_id = $lead
order by trail.entry_number
