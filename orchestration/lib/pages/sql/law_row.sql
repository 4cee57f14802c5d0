-- The rows that break the law, as the gate kept them.
select
    row_number,
    row_json,
    count(*) over () as all_rows
from meta.law_row
where law = $law
order by row_number
limit $page_rows offset $page_skip
