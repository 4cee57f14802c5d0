-- Variance items of the scope: those that stand first, the newest period first.
select
    item_id,
    period,
    metric,
    kind,
    unit,
    status,
    owner,
    plan_to_date_value,
    actual_value,
    opened_date,
    due_date,
    why,
    action,
    count(*) over () as all_rows
from rpt_variance_item
where scope = $scope
order by status = 'closed', opened_date desc, metric, item_id
limit $page_rows offset $page_skip
