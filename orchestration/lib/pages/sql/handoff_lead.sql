-- The owner's leads that nobody has decided on, the longest waiting first.
select
    lead_id,
    campaign_key,
    case $side when 'sales' then marketing_owner else sales_owner end as other_owner,
    sla_status,
    handed_over_at,
    first_response_at,
    coalesce(handoff_business_hours, handoff_hours) as waiting_hours,
    amount_minor,
    count(*) over () as all_rows
from rpt_handoff__lead
where
    is_handed_over
    and outcome = 'waiting'
    and $owner = case $side
        when 'both' then '(all)'
        when 'marketing' then coalesce(marketing_owner, handed_over_by, '(nobody)')
        when 'sales' then coalesce(sales_owner, decided_by, '(nobody)')
    end
order by handed_over_at, lead_id
limit $page_rows offset $page_skip
