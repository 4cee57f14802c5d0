-- What each model credits to the campaign; no model is the true one.
select
    credit.basis,
    credit.model,
    count(distinct credit.opportunity_id) as deals,
    cast(sum(credit.credit_minor) as bigint) as credit_minor
from fct_credit__opportunity_touch as credit
inner join dim_credit_model as model on credit.model = model.model
where credit.campaign_key = $campaign
group by credit.basis, credit.model, model.ordinal
order by credit.basis, model.ordinal
