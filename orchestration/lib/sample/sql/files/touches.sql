with
stepped as (
    select
        i,
        kind,
        person_i,
        month_i,
        created_s,
        c,
        1 + draw('touches', i, 2 * getvariable('touches_per_lead') - 1) as total,
        unnest(range(1 + draw('touches', i, 2 * getvariable('touches_per_lead') - 1))) as n,
    from lead
    where kind <> 'direct'
),

keyed as (
    select
        *,
        i * 4096 + n as key,
    from stepped
),

placed as (
    select
        *,
        -- The first touch is the lead's own campaign's; the others are anybody's.
        if(
            n = 0 or draw('other', key, 3) = 0,
            c,
            campaign_at(month_i, draw('touch campaign', key, getvariable('slots')))
        ) as touch_c,
        draw('anonymous', key, 10000) < rate_of('anonymous_touches') as is_anonymous,
        created_s - 30
        + (n - total + 1) * 170000
        - if(n = total - 1, 0, draw('touch', key, 160000)) as at_s,
    from keyed
)

select
    format('T{:07d}{:03d}', i, n) as touch_id,
    if(is_anonymous, null, lead_name(i)) as lead_id,
    if(is_anonymous, email_of(person_i, kind), null) as email,
    source_of(touch_c) as source,
    noisy(campaign_of(touch_c), key, 'touch noise') as campaign,
    null::varchar as utm_source,
    null::varchar as utm_medium,
    null::varchar as utm_campaign,
    at_second(at_s) as occurred_at,
    case
        when n = total - 1 then 'form'
        else ['click', 'visit', 'visit', 'webinar'][1 + draw('touch kind', key, 4)]
    end as kind,
from placed
