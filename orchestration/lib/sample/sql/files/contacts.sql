select
    contact_name(lead.i) as contact_id,
    at_second(
        lead.created_s + step_after(lead.i, list_position(lead.steps, 4), lead.gap)
    ) as created_at,
    email_of(lead.person_i, lead.kind) as email,
    company_of(lead.person_i) as account,
    pick(getvariable('owners'), 'owner', lead.i) as owner,
from lead
where
    lead.kind <> 'direct'
    and lead.visible >= lead.lead_count
    and list_contains(lead.steps, 4)
