-- What Sales committed to for this cohort.
select
    status,
    spend_minor,
    threshold_minor,
    committed_minor,
    committed_by,
    judged_metric,
    judged_rate,
    actual_rate,
    converted,
    matured,
    due_date
from rpt_commitment__campaign_cohort
where campaign_key = $campaign and cohort_start_date = $cohort
