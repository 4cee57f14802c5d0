-- What this publication changed in the cohort, against the one before, and why.
select
    measure,
    stage,
    before_value,
    after_value,
    difference,
    cause
from meta.change
where campaign_key = $campaign and cohort_start_date = $cohort
order by abs(difference) desc, measure, stage, cause
limit 50
