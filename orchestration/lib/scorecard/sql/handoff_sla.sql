-- Were the plan's hours kept: each handoff that has some, in the last three months that have begun.
-- A month is judged when no lead of it can be in time any more that is not.
with months as (
    select
        *,
        dense_rank() over (order by period_start_date desc) as months_back
    from rpt_handoff_sla__metric_period
)

select
    months.period_start_date,
    months.metric,
    months.from_stage,
    months.to_stage,
    case
        when not months.is_complete or months.in_time_share_pct is null then 'cannot tell yet'
        when months.in_time_share_pct < months.planned_share_pct then 'behind'
        else 'on plan'
    end as status,
    months.sla_hours,
    months.planned_share_pct,
    months.in_time_share_pct,
    months.leads,
    months.in_time,
    months.late,
    months.waiting,
    months.owner
from months
inner join dim_kpi on months.metric = dim_kpi.metric
where months.months_back <= 3
order by months.period_start_date, dim_kpi.ordinal, months.plan_version
