-- Every way in which a source and a campaign are spelt, and what they have in common with others.
-- Grain: entity, source, campaign, kind (as delivered).
-- A lead or touch without a source or campaign takes the one of its UTM parameters. A row without
-- any source takes the source of its campaign if exactly one source is known to run a campaign of
-- that name.

with

campaigns as (

    select * from {{ ref("stg_landed__campaign") }}

),

spend as (

    select * from {{ ref("stg_landed__spend") }}

),

leads as (

    select * from {{ ref("stg_landed__lead") }}

),

touches as (

    select * from {{ ref("stg_landed__touch") }}

),

opportunities as (

    select * from {{ ref("stg_landed__opportunity") }}

),

spellings as (

    select distinct
        'campaign' as entity,
        1 as precedence,
        source,
        campaign,
        'media' as kind
    from campaigns

    union all

    select distinct
        'spend' as entity,
        2 as precedence,
        source,
        campaign,
        case when kind = 'overhead' then 'overhead' else 'media' end as kind
    from spend

    union all

    select distinct
        'lead' as entity,
        3 as precedence,
        coalesce(source, utm_source) as source,
        coalesce(campaign, utm_campaign) as campaign,
        'media' as kind
    from leads

    union all

    select distinct
        'touch' as entity,
        4 as precedence,
        coalesce(source, utm_source) as source,
        coalesce(campaign, utm_campaign) as campaign,
        'media' as kind
    from touches

    union all

    select distinct
        'opportunity' as entity,
        5 as precedence,
        source,
        campaign,
        'media' as kind
    from opportunities

),

with_keys as (

    select
        entity,
        precedence,
        source,
        campaign,
        kind,
        {{ match_key("source") }} as own_source_match,
        -- Overhead belongs to no campaign, whatever its row says; nor is a bucket's name one.
        case
            when kind = 'media' then nullif({{ match_key("campaign") }}, '(no_campaign)')
        end as campaign_match
    from spellings

),

known as (

    select distinct
        own_source_match as source_match,
        campaign_match
    from with_keys
    where entity in ('campaign', 'spend') and campaign_match is not null

),

run_by_one_source as (

    select
        campaign_match,
        min(source_match) as source_match
    from known
    group by campaign_match
    having count(*) = 1

),

final as (

    select
        with_keys.entity,
        with_keys.precedence,
        with_keys.source,
        with_keys.campaign,
        with_keys.kind,
        coalesce(with_keys.own_source_match, run_by_one_source.source_match, '(unknown)')
            as source_match,
        with_keys.campaign_match,
        with_keys.own_source_match is not null as has_source
    from with_keys
    left join run_by_one_source
        on
            with_keys.campaign_match = run_by_one_source.campaign_match
            and with_keys.own_source_match is null

)

select * from final
