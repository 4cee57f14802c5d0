-- What Sales has committed to for the cohorts of the period, and the dollars without a commitment.
select
    status,
    count(*) as cohorts,
    cast(sum(spend_minor) as bigint) as spend_minor,
    cast(sum(committed_minor) as bigint) as committed_minor,
    cast(sum(uncommitted_minor) as bigint) as uncommitted_minor,
    cast(sum(overdue_minor) as bigint) as overdue_minor,
    min(due_date) filter (where status in ('uncommitted', 'overdue')) as next_due_date
from rpt_commitment__campaign_cohort
where cohort_start_date >= $period_start and cohort_start_date < $period_end
group by status
order by list_position(['overdue', 'uncommitted', 'committed', 'below threshold'], status)
