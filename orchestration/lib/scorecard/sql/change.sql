-- The largest changes of money and of leads since the publication before.
select
    measure,
    campaign_key,
    cohort_start_date,
    stage,
    before_value,
    after_value,
    difference,
    cause
from meta.change
order by abs(difference) desc, measure, campaign_key, cohort_start_date, stage
limit 15
