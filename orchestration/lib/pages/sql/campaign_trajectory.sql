-- Where this campaign's figures end, if things go on as they do.
select
    period,
    metric,
    unit,
    verdict,
    plan_value,
    actual_value,
    projected_value,
    low_value,
    high_value
from rpt_trajectory__kpi_period
where scope = 'campaign:' || $campaign
order by period_start_date, metric
