-- How fast and how well MQLs were handed over, in the newest month that is a week old, by who answers
-- on either side: everybody first, then whoever left the most lying; at most twenty-five.
with months as (
    select
        coalesce(
            max(handoff.month_start_date) filter (
                where handoff.month_start_date <= run.as_of_date - 7
            ),
            min(handoff.month_start_date)
        ) as month_start_date
    from rpt_handoff__owner_month as handoff
    cross join audit.run
),

-- Of the versions that plan the month the newest.
agreed as (
    select
        period_start_date,
        max_by(sla_hours, plan_version) as sla_hours,
        max_by(planned_share_pct, plan_version) as planned_share_pct
    from rpt_handoff_sla__metric_period
    where metric = 'rate_mql_sal'
    group by period_start_date
),

reasons as (
    select
        side,
        owner,
        month_start_date,
        reason,
        row_number() over (
            partition by side, owner, month_start_date
            order by leads desc, reason
        ) as place
    from rpt_handoff_outcome__owner_month
    where outcome = 'rejected'
)

select
    handoff.side,
    handoff.owner,
    handoff.month_start_date,
    handoff.clock,
    handoff.handed_over,
    handoff.accepted_share_pct,
    case when agreed.sla_hours is not null then handoff.in_time end as in_time,
    case when agreed.sla_hours is not null then handoff.late end as late,
    handoff.waiting,
    handoff.in_time_share_pct,
    agreed.planned_share_pct,
    agreed.sla_hours,
    handoff.response_hours_p50,
    handoff.response_hours_p90,
    handoff.handoff_hours_p50,
    handoff.handoff_hours_p90,
    handoff.rejected,
    reasons.reason as rejected_reason
from rpt_handoff__owner_month as handoff
inner join months on handoff.month_start_date = months.month_start_date
left join agreed on handoff.month_start_date = agreed.period_start_date
left join reasons
    on
        handoff.side = reasons.side
        and handoff.owner = reasons.owner
        and handoff.month_start_date = reasons.month_start_date
        and reasons.place = 1
order by
    case handoff.side when 'both' then 1 when 'marketing' then 2 else 3 end,
    handoff.late desc,
    handoff.waiting desc,
    handoff.handed_over desc,
    handoff.owner
limit 25
