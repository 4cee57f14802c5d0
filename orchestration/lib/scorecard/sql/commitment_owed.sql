-- The cohorts to answer for: no commitment yet, or a committed rate that is missed the most.
select
    campaign_key,
    cohort_start_date,
    status,
    committed_by,
    spend_minor,
    judged_by,
    judged_metric,
    judged_rate,
    actual_rate,
    converted,
    matured,
    due_date
from rpt_commitment__campaign_cohort
where
    cohort_start_date >= $period_start
    and cohort_start_date < $period_end
    and status <> 'below threshold'
order by
    case status when 'overdue' then 1 when 'uncommitted' then 2 else 3 end,
    coalesce(actual_rate - judged_rate, 0),
    spend_minor desc,
    campaign_key,
    cohort_start_date
limit 12
