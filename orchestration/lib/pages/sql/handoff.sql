-- The owner's newest month.
select
    side,
    owner,
    clock,
    month_start_date
from rpt_handoff__owner_month
where side = $side and owner = $owner
order by month_start_date desc
limit 1
