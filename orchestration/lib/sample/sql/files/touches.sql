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
        created_s + step_after(i, lead_count + 1, gap) as opened_s,
        -- From 2000 on: the colleagues who have a part in its deal.
        unnest(
            range(1 + draw('touches', i, 2 * getvariable('touches_per_lead') - 1))
            || if(has_deal, range(2000, 2000 + colleagues_of(i)), [])
        ) as n,
    from lead
    where kind <> 'direct'
),

keyed as (
    select
        *,
        i * 4096 + n as key,
        n >= 2000 as is_colleague,
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
        -- Of a colleague nothing is known but the e-mail.
        is_colleague or draw('anonymous', key, 10000) < rate_of('anonymous_touches')
            as is_anonymous,
        if(
            is_colleague,
            opened_s - 7200 - draw('colleague', key, 90000),
            created_s - 30
            + (n - total + 1) * 170000
            - if(n = total - 1, 0, draw('touch', key, 160000))
        ) as at_s,
    from keyed
)

select
    format('T{:07d}{:03d}', i, n) as touch_id,
    if(is_anonymous, null, lead_name(i)) as lead_id,
    case
        when is_colleague then email_of(related(i, n - 1998), 'kept')
        when is_anonymous then email_of(person_i, kind)
    end as email,
    if(is_utm_only, null, source_of(touch_c)) as source,
    if(is_utm_only, null, noisy(campaign_of(touch_c), key, 'touch noise')) as campaign,
    case
        when kind = 'bot' then getvariable('bot_utm_source')
        when is_utm_only then utm_source_of(source_of(touch_c))
    end as utm_source,
    if(is_utm_only, utm_medium_of(source_of(touch_c)), null) as utm_medium,
    if(is_utm_only, campaign_of(touch_c), null) as utm_campaign,
    at_second(at_s) as occurred_at,
    case
        when n = total - 1 then 'form'
        else ['click', 'visit', 'visit', 'webinar'][1 + draw('touch kind', key, 4)]
    end as kind,
from (
    select
        *,
        rate_of('campaign_names') > 0
        and kind <> 'bot'
        and campaign_of(touch_c) is not null
        and draw('touch utm only', key, 6) = 0 as is_utm_only,
    from placed
)
