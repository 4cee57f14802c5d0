-- Which campaign a row belongs to, by what it says about source and campaign.
-- Grain: entity, source, campaign, kind, valid_from. Source and campaign may be null: join with
-- `is not distinct from`, and by the row's day (or instant).
-- Of several spellings that of the list of campaigns wins, then that of the company's own names,
-- then that of spend, then that of leads; among equals the first in the alphabet.

with

names as (

    select * from {{ ref("int_campaign__name") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

ranked_sources as (

    select
        source_match,
        trim(source) as source,
        row_number() over (
            partition by source_match
            order by precedence, trim(source)
        ) as preference
    from names
    where is_spelling_of_source

),

sources as (

    select
        source_match,
        source
    from ranked_sources
    where preference = 1

),

ranked_campaigns as (

    select
        source_match,
        campaign_match,
        trim(campaign) as campaign,
        row_number() over (
            partition by source_match, campaign_match
            order by precedence, trim(campaign)
        ) as preference
    from names
    where is_spelling_of_campaign

),

campaigns as (

    select
        source_match,
        campaign_match,
        campaign
    from ranked_campaigns
    where preference = 1

),

known as (

    select distinct
        source_match,
        campaign_match
    from names
    where entity in ('campaign', 'spend') and campaign_match is not null

),

spelt as (

    select
        names.entity,
        names.source,
        names.campaign,
        names.kind,
        coalesce(sources.source, '(unknown)') as canonical_source,
        campaigns.campaign as canonical_campaign,
        case
            when names.kind = 'overhead' then 'overhead'
            when names.campaign_match is null then 'no_campaign'
            else 'campaign'
        end as campaign_kind,
        names.campaign_match is null
        or (known.campaign_match is not null and not names.is_ambiguous) as is_mapped,
        names.valid_from,
        names.valid_to
    from names
    left join sources on names.source_match = sources.source_match
    left join campaigns
        on
            names.source_match = campaigns.source_match
            and names.campaign_match = campaigns.campaign_match
    left join known
        on
            names.source_match = known.source_match
            and names.campaign_match = known.campaign_match
    where names.entity <> 'campaign_name'

),

keyed as (

    select
        spelt.entity,
        spelt.source,
        spelt.campaign,
        spelt.kind,
        spelt.canonical_source || ' / ' || case spelt.campaign_kind
            when 'overhead' then '(overhead)'
            when 'no_campaign' then '(no campaign)'
            else spelt.canonical_campaign
        end as campaign_key,
        spelt.canonical_source,
        spelt.canonical_campaign,
        spelt.campaign_kind,
        spelt.is_mapped,
        spelt.valid_from > cast('0001-01-01' as date)
        or spelt.valid_to < cast('9999-12-31' as date) as is_dated,
        spelt.valid_from,
        spelt.valid_to,
        {%- for bound, end in [("valid_from", "0001-01-01"), ("valid_to", "9999-12-31")] %}
        {%- set midnight = "cast(spelt." ~ bound ~ " as timestamp)" %}
        case
            when spelt.{{ bound }} = cast('{{ end }}' as date) then {{ midnight }}
            else {{ local_to_utc(midnight, "run_parameter.time_zone") }}
        end as {{ bound }}_at,
        {%- endfor %}
        run_parameter.as_of
    from spelt
    cross join run_parameter

),

dated as (

    select * from keyed
    where is_dated

),

-- Of what is not meant for all time, only what some row means: nothing belongs to the others.
used as (

    select distinct
        dated.entity,
        dated.source,
        dated.campaign,
        dated.kind,
        dated.valid_from
    from dated
    inner join {{ ref("stg_landed__spend") }} as spend
        on
            dated.source is not distinct from spend.source
            and dated.campaign is not distinct from spend.campaign
            and dated.kind = case when spend.kind = 'overhead' then 'overhead' else 'media' end
            and dated.valid_from <= spend.day
            and dated.valid_to > spend.day
    where dated.entity = 'spend'

    {%- for entity, model, occurred_at in [
        ("lead", "stg_landed__lead", "created_at"),
        ("touch", "stg_landed__touch", "occurred_at"),
    ] %}

    union all

    select distinct
        dated.entity,
        dated.source,
        dated.campaign,
        dated.kind,
        dated.valid_from
    from dated
    inner join {{ ref(model) }} as records
        on
            dated.source is not distinct from coalesce(records.source, records.utm_source)
            and dated.campaign is not distinct from coalesce(records.campaign, records.utm_campaign)
            and dated.valid_from_at <= records.{{ occurred_at }}
            and dated.valid_to_at > records.{{ occurred_at }}
    where dated.entity = '{{ entity }}'
    {%- endfor %}

    union all

    select distinct
        dated.entity,
        dated.source,
        dated.campaign,
        dated.kind,
        dated.valid_from
    from dated
    inner join {{ ref("stg_landed__opportunity") }} as opportunities
        on
            dated.source is not distinct from opportunities.source
            and dated.campaign is not distinct from opportunities.campaign
            and dated.valid_from_at <= coalesce(opportunities.created_at, dated.as_of)
            and dated.valid_to_at > coalesce(opportunities.created_at, dated.as_of)
    where dated.entity = 'opportunity'

),

final as (

    select
        keyed.entity,
        keyed.source,
        keyed.campaign,
        keyed.kind,
        keyed.campaign_key,
        keyed.canonical_source,
        keyed.canonical_campaign,
        keyed.campaign_kind,
        keyed.is_mapped,
        keyed.valid_from,
        keyed.valid_to,
        keyed.valid_from_at,
        keyed.valid_to_at
    from keyed
    left join used
        on
            keyed.entity = used.entity
            and keyed.source is not distinct from used.source
            and keyed.campaign is not distinct from used.campaign
            and keyed.kind = used.kind
            and keyed.valid_from = used.valid_from
    where not keyed.is_dated or used.entity is not null

)

select * from final
