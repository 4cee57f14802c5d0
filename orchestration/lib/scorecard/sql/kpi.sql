-- Every KPI of the company in the period: plan to date, actual, and the band the plan allows. What
-- is on plan only because so few cases prove nothing is shown as `within chance`.
select
    report.metric,
    dim_kpi.description,
    dim_kpi.better,
    dim_kpi.from_stage,
    dim_kpi.to_stage,
    report.unit,
    report.kind,
    report.status,
    case
        when report.status = 'on plan' and abs(report.variance_pct) > report.tolerance_pct
            then 'within chance'
        else report.status
    end as shown_status,
    report.activity_status,
    report.value_status,
    report.owner,
    report.owner_department,
    report.plan_value,
    report.plan_to_date_value,
    report.actual_value,
    report.variance_value,
    report.variance_pct,
    report.variance_minor,
    abs(report.variance_minor) as variance_size_minor,
    report.tolerance_pct,
    report.numerator,
    report.denominator,
    report.without_amount,
    report.is_provisional,
    cast(
        round(100 * report.actual_value / nullif(report.plan_to_date_value, 0), 1) as decimal(18, 1)
    ) as of_plan_pct
from rpt_plan_vs_actual__kpi_period as report
inner join dim_kpi on report.metric = dim_kpi.metric
where report.scope = 'company' and report.period = $period
order by dim_kpi.ordinal, report.metric
