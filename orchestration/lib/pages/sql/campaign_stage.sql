-- Where the campaign's dollars stand, over all its cohorts.
select
    balance.stage,
    stage.kind,
    cast(sum(balance.amount_minor) as bigint) as amount_minor,
    cast(sum(balance.leads) as bigint) as leads,
    round(
        100.0 * sum(balance.amount_minor) / nullif(sum(sum(balance.amount_minor)) over (), 0), 1
    ) as share_pct
from rpt_stage_balance__campaign_cohort as balance
inner join dim_stage as stage on balance.stage = stage.stage
where balance.campaign_key = $campaign and balance.stage <> 'funding'
group by balance.stage, stage.kind, stage.ordinal
having sum(balance.amount_minor) <> 0 or sum(balance.leads) <> 0
order by stage.ordinal
