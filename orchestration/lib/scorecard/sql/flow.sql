-- Every dollar of the cohorts that began in the period: its channel, the furthest stage that its
-- lead ever reached, and where it stands today. Money without a lead stands where its cohort has it;
-- a lead without money (organic) is counted.
-- Grain: channel, furthest stage, stage. The sum is what was spent on these cohorts, to the cent.
with lead_money as (
    select lead_id, sum(amount_minor) as amount_minor
    from fct_dollar_journal__entry
    where from_stage = 'in_market' and lead_id is not null and $cohorts
    group by lead_id
),

lead_parts as (
    select
        fct_lead.campaign_key,
        case
            when fct_lead.first_won_at is not null then 'won'
            when fct_lead.first_opportunity_at is not null then 'opportunity'
            when fct_lead.first_sql_at is not null then 'sql'
            when fct_lead.first_sal_at is not null then 'sal'
            when fct_lead.first_mql_at is not null then 'mql'
            else 'lead'
        end as furthest,
        fct_lead.stage,
        coalesce(sum(lead_money.amount_minor), 0) as amount_minor,
        count(*) as leads
    from fct_lead
    left join lead_money on fct_lead.lead_id = lead_money.lead_id
    where $cohorts
    group by 1, 2, 3
),

holding as (
    select
        balance.campaign_key,
        'none' as furthest,
        balance.stage,
        sum(balance.amount_minor) as amount_minor,
        0 as leads
    from rpt_stage_balance__campaign_cohort as balance
    inner join dim_stage on balance.stage = dim_stage.stage
    where dim_stage.kind = 'holding' and $cohorts
    group by 1, 2, 3
),

parts as (
    select * from lead_parts
    union all
    select * from holding
)

select
    case
        when dim_campaign.kind = 'overhead' then 'overhead'
        when dim_campaign.kind = 'no_campaign' then 'no campaign'
        else coalesce(dim_campaign.channel, 'no channel')
    end as channel,
    parts.furthest,
    parts.stage,
    cast(sum(parts.amount_minor) as bigint) as amount_minor,
    cast(sum(parts.leads) as bigint) as leads
from parts
inner join dim_campaign on parts.campaign_key = dim_campaign.campaign_key
inner join dim_stage on parts.stage = dim_stage.stage
group by 1, 2, 3, dim_stage.ordinal
having sum(parts.amount_minor) <> 0 or sum(parts.leads) > 0
order by 1, dim_stage.ordinal, 2
