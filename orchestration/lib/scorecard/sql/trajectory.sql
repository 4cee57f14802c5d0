-- Where each KPI is heading by the period's end, with an 80 % interval.
select
    trajectory.metric,
    trajectory.unit,
    trajectory.owner,
    trajectory.plan_value,
    trajectory.actual_value,
    trajectory.projected_value,
    trajectory.low_value,
    trajectory.high_value,
    trajectory.gap_value,
    trajectory.gap_minor,
    trajectory.verdict,
    trajectory.verdict_reason,
    trajectory.action,
    trajectory.is_over,
    cast(round(100 * trajectory.projected_value / nullif(trajectory.plan_value, 0), 1)
        as decimal(18, 1)) as projected_pct,
    cast(round(100 * trajectory.low_value / nullif(trajectory.plan_value, 0), 1)
        as decimal(18, 1)) as low_pct,
    cast(round(100 * trajectory.high_value / nullif(trajectory.plan_value, 0), 1)
        as decimal(18, 1)) as high_pct,
    cast(round(100 * trajectory.actual_value / nullif(trajectory.plan_value, 0), 1)
        as decimal(18, 1)) as actual_pct
from rpt_trajectory__kpi_period as trajectory
inner join dim_kpi on trajectory.metric = dim_kpi.metric
where trajectory.scope = 'company' and trajectory.period = $period
order by dim_kpi.ordinal, trajectory.metric
