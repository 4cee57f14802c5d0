-- What was spent on the cohorts that began in the period, and on all of them, straight from the
-- journal's first posting of every dollar: the flow must add up to this.
select
    cast(coalesce(sum(amount_minor) filter (where $cohorts), 0) as bigint) as period_minor,
    cast(coalesce(sum(amount_minor), 0) as bigint) as all_minor,
    min(occurred_at) as first_at
from fct_dollar_journal__entry
where from_stage = 'funding'
