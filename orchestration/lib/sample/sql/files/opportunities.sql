with
deal as (
    select
        *,
        created_s + step_after(i, lead_count + 1, gap) as opened_s,
        created_s + step_after(i, visible, gap) as changed_s,
        steps[visible] as step,
    from lead
    where has_deal
)

select
    opportunity_name(i) as opportunity_id,
    company_of(person_i) as account,
    if(kind = 'direct', null, contact_name(i)) as contact_id,
    at_second(opened_s) as created_at,
    money(amount_minor(i, visible, amount)) as amount,
    currency_of(c) as currency,
    pick(getvariable('owners'), 'owner', i) as owner,
    source_of(c) as source,
    campaign_of(c) as campaign,
    pick(getvariable('products'), 'product', i) as product,
    getvariable('raw_stages')[step - 4] as stage,
    at_second(changed_s) as stage_at,
    if(
        step in (8, 14),
        at_second(changed_s)::date,
        at_second(opened_s)::date + 45 + draw('close', i * 64 + visible, 40)::integer
    ) as close_date,
    if(step = 14, pick(getvariable('losses'), 'loss', i), null) as reason,
    is_deleted,
from deal
