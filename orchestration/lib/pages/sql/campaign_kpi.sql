-- The plan for this campaign, and what came.
select
    plan.period,
    plan.metric,
    plan.unit,
    plan.status,
    plan.plan_to_date_value,
    plan.actual_value,
    plan.variance_value,
    plan.owner,
    plan.is_provisional
from rpt_plan_vs_actual__kpi_period as plan
inner join dim_kpi as kpi on plan.metric = kpi.metric
where plan.scope = 'campaign:' || $campaign
order by plan.period_start_date, plan.period_end_date, kpi.ordinal
