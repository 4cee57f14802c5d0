-- What one of each costs: spend of the period by those who got that far, planned and actual.
with spend as (
    select plan_to_date_value as planned_minor, actual_value as actual_minor
    from rpt_plan_vs_actual__kpi_period
    where scope = 'company' and period = $period and metric = 'budget'
)

select
    report.metric,
    report.plan_to_date_value as planned,
    report.actual_value as actual,
    cast(round(spend.planned_minor / nullif(report.plan_to_date_value, 0)) as bigint)
        as planned_cost_minor,
    cast(round(spend.actual_minor / nullif(report.actual_value, 0)) as bigint)
        as actual_cost_minor,
    cast(
        round(
            (spend.actual_minor / nullif(report.actual_value, 0))
            / nullif(spend.planned_minor / nullif(report.plan_to_date_value, 0), 0),
            1
        ) as decimal(18, 1)
    ) as times_plan
from rpt_plan_vs_actual__kpi_period as report
inner join dim_kpi on report.metric = dim_kpi.metric
cross join spend
where
    report.scope = 'company'
    and report.period = $period
    and report.metric in ('leads', 'mqls', 'sals', 'sqls', 'opportunities', 'wins')
order by dim_kpi.ordinal
