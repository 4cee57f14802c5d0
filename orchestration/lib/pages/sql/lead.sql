-- The lead.
select
    lead_id,
    source,
    campaign_key,
    cohort_start_date,
    owner,
    stage,
    stage_entered_at,
    rejection_reason,
    score,
    is_qualified,
    is_claimed_unqualified,
    mql_entries,
    created_at,
    converted_opportunity_id
from fct_lead
where lead_id = $lead
