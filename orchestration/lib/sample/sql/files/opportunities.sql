select
    opportunity_name(o) as opportunity_id,
    company_of(person_i) as account,
    -- Where nobody filled in the primary contact, only the contact roles tell.
    if(
        is_direct or (rate_of('contact_roles') > 0 and draw('no contact', i, 8) = 0),
        null,
        contact_name(i)
    ) as contact_id,
    at_second(opened_s) as created_at,
    money(now.minor, currency_of(c)) as amount,
    currency_of(c) as currency,
    coalesce(owner, pick(getvariable('owners'), 'owner', i)) as owner,
    source_of(c) as source,
    campaign_of(c) as campaign,
    pick(getvariable('products'), 'product', i) as product,
    deal_kind as kind,
    getvariable('raw_stages')[now.step - 4] as stage,
    at_second(stage_s) as stage_at,
    now.close_date as close_date,
    if(now.step = 14, pick(getvariable('losses'), 'loss', i), null) as reason,
    is_deleted,
from deal
