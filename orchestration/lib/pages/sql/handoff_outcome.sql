-- What became of the owner's leads, by reason: the newest month first, in it the most leads.
select
    month_start_date,
    outcome,
    reason,
    leads,
    amount_minor,
    count(*) over () as all_rows
from rpt_handoff_outcome__owner_month
where side = $side and owner = $owner
order by month_start_date desc, leads desc, outcome, reason
limit $page_rows offset $page_skip
