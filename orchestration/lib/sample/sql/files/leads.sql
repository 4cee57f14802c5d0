with
copied as (
    select
        *,
        unnest(range(copies)) as copy,
    from lead
    where kind <> 'direct'
),

named as (
    select
        *,
        source_of(c) as source,
        campaign_of(c) as campaign,
        -- Where the form did not pass the campaign on, only its UTM parameters tell.
        campaign_of(c) is not null and draw('utm only', i, 3) = 0 as is_utm_only,
        campaign_of(c) is not null
        and rate_of('campaign_names') > 0
        and kind <> 'bot'
        and draw('utm source only', i, 9) = 0 as is_utm_source_only,
        least(visible, lead_count) as last_step,
    from copied
)

select
    lead_name(i) as lead_id,
    at_second(created_s) as created_at,
    if(
        person_i <> i and i < 1000000000,
        retyped(email_of(person_i, kind), i),
        email_of(person_i, kind)
    ) as email,
    company_of_lead(person_i, kind) as company,
    case
        when is_utm_source_only then null
        when campaign is null then source
        else noisy(source, i, 'source noise')
    end as source,
    if(is_utm_only or is_utm_source_only, null, noisy(campaign, i, 'campaign noise'))
        as campaign,
    case
        when kind = 'bot' and i % 2 = 0 then getvariable('bot_utm_source')
        when campaign is not null then utm_source_of(source)
    end as utm_source,
    if(campaign is null, null, utm_medium_of(source)) as utm_medium,
    noisy(campaign, i, 'utm noise') as utm_campaign,
    score,
    pick(getvariable('owners'), 'owner', i) as owner,
    if(last_step = 0, 'New', raw_lead_status(
        steps[last_step], created_s + step_after(i, last_step, gap)
    )) as status,
    at_second(created_s + if(last_step = 0, 0, step_after(i, last_step, gap))) as status_at,
    kind = 'test' as is_test,
    if(kind = 'merged' and not is_merge_stated(i, kind), lead_name(person_i), null) as merged_into,
    case
        when has_deal then opportunity_name(i)
        when shares.visible > shares.lead_count then opportunity_name(shares.i)
    end as converted_opportunity_id,
    if(visible >= lead_count and list_contains(steps, 4), contact_name(i), null) as contact_id,
from named
