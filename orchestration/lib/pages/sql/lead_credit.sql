-- Who is credited for the deal, by each model.
select
    credit.basis,
    credit.model,
    credit.campaign_key,
    count(*) as touches,
    cast(sum(credit.credit_minor) as bigint) as credit_minor,
    count(*) over () as all_rows
from fct_credit__opportunity_touch as credit
inner join dim_credit_model as model on credit.model = model.model
inner join fct_lead as lead on credit.opportunity_id = lead.converted_opportunity_id
where lead.lead_id = $lead
group by credit.basis, model.ordinal, credit.model, credit.campaign_key
order by credit.basis, model.ordinal, credit.campaign_key
limit $page_rows offset $page_skip
