-- The cohort's leads, with the dollars that stand on each.
with leads as (
    select
        lead_id,
        stage,
        created_at,
        stage_entered_at,
        score,
        converted_opportunity_id,
        count(*) over () as all_rows
    from fct_lead
    where campaign_key = $campaign and cohort_start_date = $cohort
    order by created_at, lead_id
    limit $page_rows offset $page_skip
),

dollars as (
    select
        lead_id,
        cast(sum(amount_minor) as bigint) as amount_minor
    from fct_dollar_journal__entry
    where
        campaign_key = $campaign
        and cohort_start_date = $cohort
        and kind in ('allocation', 'restated_share')
    group by lead_id
)

select
    leads.lead_id,
    leads.stage,
    leads.created_at,
    leads.stage_entered_at,
    leads.score,
    dollars.amount_minor,
    leads.converted_opportunity_id,
    leads.all_rows
from leads
left join dollars on leads.lead_id = dollars.lead_id
order by leads.created_at, leads.lead_id
