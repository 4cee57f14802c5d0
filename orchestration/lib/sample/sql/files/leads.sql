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
        least(visible, lead_count) as last_step,
    from copied
)

select
    lead_name(i) as lead_id,
    at_second(created_s) as created_at,
    if(
        person_i <> i and draw('shout', i, 2) = 0,
        upper(email_of(person_i, kind)),
        email_of(person_i, kind)
    ) as email,
    company_of(person_i) as company,
    if(campaign is null, source, noisy(source, i, 'source noise')) as source,
    if(is_utm_only, null, noisy(campaign, i, 'campaign noise')) as campaign,
    if(campaign is null, null, utm_source_of(source)) as utm_source,
    if(campaign is null, null, utm_medium_of(source)) as utm_medium,
    noisy(campaign, i, 'utm noise') as utm_campaign,
    score,
    pick(getvariable('owners'), 'owner', i) as owner,
    if(last_step = 0, 'New', raw_lead_status(
        steps[last_step], created_s + step_after(i, last_step, gap)
    )) as status,
    at_second(created_s + if(last_step = 0, 0, step_after(i, last_step, gap))) as status_at,
    kind = 'test' as is_test,
    if(kind = 'merged', lead_name(person_i), null) as merged_into,
    if(has_deal, opportunity_name(i), null) as converted_opportunity_id,
    if(visible >= lead_count and list_contains(steps, 4), contact_name(i), null) as contact_id,
from named
