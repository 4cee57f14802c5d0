-- Is each planned rate still believable? The interval is Wilson's for 95 %, of the settled ones.
select
    drift.metric,
    drift.from_stage,
    drift.to_stage,
    drift.entered,
    drift.matured,
    drift.converted,
    drift.expected_rate,
    drift.actual_rate,
    drift.max_evidence,
    drift.alarm_evidence,
    drift.is_alarm,
    drift.alarmed_at,
    drift.matured_at_alarm,
    $drift_verdict as verdict,
    cast(round(
        (
            drift.converted + 1.920729
            - 1.96 * sqrt(
                drift.converted * (drift.matured - drift.converted) / nullif(drift.matured, 0)
                + 0.960365
            )
        ) / (drift.matured + 3.841459), 4
    ) as decimal(10, 4)) as low_rate,
    cast(round(
        (
            drift.converted + 1.920729
            + 1.96 * sqrt(
                drift.converted * (drift.matured - drift.converted) / nullif(drift.matured, 0)
                + 0.960365
            )
        ) / (drift.matured + 3.841459), 4
    ) as decimal(10, 4)) as high_rate,
    100.0 * drift.expected_rate as expected_pct
from rpt_drift__cohort_transition as drift
inner join dim_kpi on drift.metric = dim_kpi.metric
where drift.scope = 'company' and drift.period = $period
order by dim_kpi.ordinal
