-- What Sales committed to for the campaign's cohorts.
select
    cohort_start_date,
    status,
    spend_minor,
    committed_minor,
    committed_by,
    judged_metric,
    judged_rate,
    actual_rate,
    converted,
    matured,
    due_date
from rpt_commitment__campaign_cohort
where campaign_key = $campaign
order by cohort_start_date desc
