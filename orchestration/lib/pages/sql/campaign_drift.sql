-- Planned rates of this campaign's cohorts, and what came; alarms first.
select
    period,
    metric,
    from_stage,
    to_stage,
    verdict,
    expected_rate,
    actual_rate,
    converted,
    matured,
    entered,
    alarmed_at
from rpt_drift__cohort_transition
where scope = 'campaign:' || $campaign and entered > 0
order by is_alarm desc, period_start_date desc, period_end_date, metric
