-- The period this page is about: the newest quarter that is a week old, or else the first one that
-- has begun. A plan without quarters is shown by month, else by year.
with candidates as (
    select distinct
        report.period,
        report.period_kind,
        report.period_start_date,
        report.period_end_date,
        report.plan_versions,
        report.period_end_date <= run.as_of_date as is_over,
        greatest(report.period_end_date - run.as_of_date, 0) as days_left,
        report.period_start_date <= run.as_of_date - 7 as is_a_week_old
    from rpt_plan_vs_actual__kpi_period as report
    cross join audit.run
    where report.scope = 'company' and report.period_start_date <= run.as_of_date
)

select
    period,
    period_kind,
    period_start_date,
    period_end_date,
    period_end_date - 1 as period_last_date,
    plan_versions,
    is_over,
    days_left
from candidates
order by
    case period_kind when 'quarter' then 1 when 'month' then 2 else 3 end,
    is_a_week_old desc,
    case when is_a_week_old then period_start_date end desc,
    period_start_date
limit 1
