-- The owner's months, the newest first, and what the plan asks of all together.
with agreed as (
    select
        period_start_date,
        max_by(sla_hours, plan_version) as sla_hours,
        max_by(planned_share_pct, plan_version) as planned_share_pct
    from rpt_handoff_sla__metric_period
    where metric = 'rate_mql_sal'
    group by period_start_date
)

select
    handoff.month_start_date,
    handoff.handed_over,
    handoff.accepted,
    handoff.accepted_share_pct,
    handoff.waiting,
    agreed.sla_hours,
    agreed.planned_share_pct,
    handoff.in_time_share_pct,
    case when agreed.sla_hours is not null then handoff.late end as late,
    handoff.response_hours_p50,
    handoff.response_hours_p90,
    handoff.handoff_hours_p50,
    handoff.handoff_hours_p90,
    count(*) over () as all_rows
from rpt_handoff__owner_month as handoff
left join agreed on handoff.month_start_date = agreed.period_start_date
where handoff.side = $side and handoff.owner = $owner
order by handoff.month_start_date desc
limit $page_rows offset $page_skip
