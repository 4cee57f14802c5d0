-- KPIs outside their tolerance and what their owners say, the closed ones left out: overdue first, the
-- company before its parts, the dearest first; at most 25.
select
    item_id,
    period,
    scope,
    metric,
    kind,
    unit,
    status,
    owner,
    owner_department,
    why,
    action,
    plan_to_date_value,
    actual_value,
    variance_pct,
    variance_minor,
    opened_date,
    due_date,
    action_due_date
from rpt_variance_item
where status <> 'closed'
order by
    case status when 'overdue' then 1 when 'open' then 2 else 3 end,
    scope <> 'company',
    abs(coalesce(variance_minor, 0)) desc,
    due_date,
    item_id
limit 25
