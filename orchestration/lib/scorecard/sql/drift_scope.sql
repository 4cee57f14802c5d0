-- Below the company: the segments, channels and campaigns in which a planned rate fails, and stands
-- out among all that are looked at, where the file says so.
select
    drift.metric,
    drift.scope,
    drift.period,
    drift.expected_rate,
    drift.actual_rate,
    drift.converted,
    drift.matured,
    drift.alarmed_at
from rpt_drift__cohort_transition as drift
inner join dim_kpi on drift.metric = dim_kpi.metric
where
    $drift_discovery
    and drift.scope <> 'company'
    and drift.period_start_date >= $period_start
    and drift.period_end_date <= $period_end
order by drift.alarmed_at, dim_kpi.ordinal, drift.scope, drift.period
limit 20
