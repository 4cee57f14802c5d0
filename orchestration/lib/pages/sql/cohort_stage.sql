-- Where the cohort's dollars stand: every dollar is at one stage.
select
    balance.stage,
    stage.kind,
    balance.amount_minor,
    balance.leads,
    round(
        100.0 * balance.amount_minor / nullif(sum(balance.amount_minor) over (), 0), 1
    ) as share_pct
from rpt_stage_balance__campaign_cohort as balance
inner join dim_stage as stage on balance.stage = stage.stage
where
    balance.campaign_key = $campaign
    and balance.cohort_start_date = $cohort
    and balance.stage <> 'funding'
    and (balance.amount_minor <> 0 or balance.leads <> 0)
order by stage.ordinal
