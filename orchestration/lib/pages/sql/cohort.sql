-- The cohort: the campaign's dollars and leads of one period.
with dollars as (
    select
        cast(sum(amount_minor) filter (where stage <> 'funding') as bigint) as amount_minor,
        bool_or(is_provisional) as is_provisional,
        max(cohort_end_date) as cohort_end_date,
        count(*) as balances
    from rpt_stage_balance__campaign_cohort
    where campaign_key = $campaign and cohort_start_date = $cohort
),

leads as (
    select
        count(*) as leads,
        count(first_mql_at) as mqls,
        count(first_sal_at) as sals,
        count(first_won_at) as wins
    from fct_lead
    where campaign_key = $campaign and cohort_start_date = $cohort
)

select
    dollars.amount_minor,
    dollars.cohort_end_date,
    leads.leads,
    leads.mqls,
    leads.sals,
    leads.wins,
    case
        when dollars.is_provisional then 'provisional'
        when dollars.is_provisional is not null then 'final'
    end as standing
from dollars
cross join leads
where dollars.balances > 0 or leads.leads > 0
