-- The campaign's cohorts, the newest first.
with leads as (
    select
        cohort_start_date,
        count(*) as leads,
        count(first_mql_at) as mqls,
        count(first_sal_at) as sals,
        count(first_won_at) as wins
    from fct_lead
    where campaign_key = $campaign
    group by cohort_start_date
),

dollars as (
    select
        cohort_start_date,
        cast(sum(amount_minor) filter (where stage <> 'funding') as bigint) as amount_minor,
        bool_or(is_provisional) as is_provisional
    from rpt_stage_balance__campaign_cohort
    where campaign_key = $campaign
    group by cohort_start_date
)

select
    cohort_start_date,
    dollars.amount_minor,
    case
        when dollars.is_provisional then 'provisional'
        when dollars.is_provisional is not null then 'final'
    end as standing,
    leads.leads,
    leads.mqls,
    leads.sals,
    leads.wins
from dollars
full join leads using (cohort_start_date)
order by cohort_start_date desc nulls last
