-- How many variance items stand, by status.
select status, count(*) as items
from rpt_variance_item
group by status
order by case status when 'overdue' then 1 when 'open' then 2 when 'explained' then 3 else 4 end
