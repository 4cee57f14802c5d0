-- Who answers for the handoff, in the newest month that is a week old: everybody first, then whoever
-- left the most lying.
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
)

select
    handoff.side,
    handoff.owner,
    handoff.month_start_date,
    handoff.handed_over,
    handoff.accepted_share_pct,
    handoff.in_time_share_pct,
    handoff.late,
    handoff.waiting,
    handoff.response_hours_p50,
    handoff.handoff_hours_p50,
    handoff.handoff_hours_p90,
    count(*) over () as all_rows
from rpt_handoff__owner_month as handoff
inner join months on handoff.month_start_date = months.month_start_date
order by
    case handoff.side when 'both' then 1 when 'marketing' then 2 else 3 end,
    handoff.late desc,
    handoff.waiting desc,
    handoff.handed_over desc,
    handoff.owner
limit $page_rows offset $page_skip
