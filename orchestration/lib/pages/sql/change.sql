-- Every change against the publication before, the largest first.
select
    campaign_key,
    cohort_start_date,
    table_name,
    measure,
    stage,
    before_value,
    after_value,
    difference,
    cause,
    count(*) over () as all_rows
from meta.change
order by
    abs(difference) desc, table_name, measure, campaign_key, cohort_start_date, stage, cause
limit $page_rows offset $page_skip
