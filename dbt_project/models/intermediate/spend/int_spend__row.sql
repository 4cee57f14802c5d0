-- The landed rows of spend, each with the campaign it belongs to and the stream it came in.
-- Grain: landed row (feed, load_number, file, line).
-- A stream is what restates itself: one file that is exported whole (mode snapshot), or a table to
-- which files are added (mode append); rows of another level than the campaign's total apart.

with

spend as (

    select * from {{ ref("stg_landed__spend") }}

),

loads as (

    select * from {{ ref("stg_landed__load") }}
    where table_name = 'spend'

),

matches as (

    select * from {{ ref("int_campaign__match") }}
    where entity = 'spend'

),

final as (

    select
        spend._feed as feed,
        case when loads.mode = 'append' then '' else spend._file end
        || case spend.level when 'ad_group' then ' (ad_group)' when 'ad' then ' (ad)' else '' end
            as stream,
        case spend.level when 'ad_group' then 1 when 'ad' then 2 else 0 end as level_rank,
        spend.source,
        coalesce(spend.account, '(default)') as account,
        matches.campaign_key,
        spend.ad_group,
        spend.ad,
        spend.day as spend_date,
        spend.currency,
        coalesce(spend.kind, 'media') as kind,
        spend._load as load_number,
        loads.mode,
        spend.loaded_at is not null as has_own_version,
        coalesce(spend.loaded_at, spend._loaded_at) as version_at,
        spend.cost,
        spend.impressions,
        spend.clicks
    from spend
    inner join loads
        on
            spend._feed = loads.feed
            and spend._load = loads.load_number
            and spend._file = loads.file
    inner join matches
        on
            spend.source is not distinct from matches.source
            and spend.campaign is not distinct from matches.campaign
            and case when spend.kind = 'overhead' then 'overhead' else 'media' end = matches.kind
            and spend.day >= matches.valid_from
            and spend.day < matches.valid_to

)

select * from final
