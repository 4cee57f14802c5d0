-- Every version of every spend figure, exact, in its own currency: what each load said about a key.
-- Grain: stream, campaign key, account, day, currency, kind, version_at.
-- A stream is what restates itself: one file that is exported whole (mode snapshot), or a table to
-- which files are added (mode append). Finer rows (ad group, ad) are summed, never dropped.

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

rows_of_streams as (

    select
        spend._feed as feed,
        case when loads.mode = 'append' then '' else spend._file end as stream,
        spend.source,
        coalesce(spend.account, '(default)') as account,
        matches.campaign_key,
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

),

summed as (

    select
        feed,
        stream,
        source,
        account,
        campaign_key,
        spend_date,
        currency,
        kind,
        version_at,
        load_number,
        mode,
        has_own_version,
        sum(cost) as cost,
        {{ exact_sum("impressions") }} as impressions,
        {{ exact_sum("clicks") }} as clicks,
        count(*) as landed_rows
    from rows_of_streams
    group by
        feed,
        stream,
        source,
        account,
        campaign_key,
        spend_date,
        currency,
        kind,
        version_at,
        load_number,
        mode,
        has_own_version

),

ranked as (

    select
        *,
        row_number() over (
            partition by
                feed, stream, source, account, campaign_key, spend_date, currency, kind, version_at
            order by load_number desc, has_own_version desc
        ) as recency,
        max(load_number) over (
            partition by feed, stream, source, account, campaign_key, spend_date, currency, kind
        ) as newest_load_of_key
    from summed

),

-- A whole export that states its own versions is the whole truth about them: versions that only an
-- older export knew are gone.
stated as (

    select
        *,
        recency > 1
        or (mode = 'snapshot' and has_own_version and load_number < newest_load_of_key)
            as is_superseded
    from ranked

),

stream_loads as (

    select
        feed,
        file as stream,
        load_number,
        loaded_at
    from loads
    where mode = 'snapshot'

),

-- A key that a later whole export no longer has was withdrawn by its source: a version of zero.
withdrawn as (

    select
        stated.feed,
        stated.stream,
        stated.source,
        stated.account,
        stated.campaign_key,
        stated.spend_date,
        stated.currency,
        stated.kind,
        min(stream_loads.loaded_at) as version_at,
        min(stream_loads.load_number) as load_number
    from stated
    inner join stream_loads
        on
            stated.feed = stream_loads.feed
            and stated.stream = stream_loads.stream
            and stated.newest_load_of_key < stream_loads.load_number
    where stated.mode = 'snapshot'
    group by
        stated.feed,
        stated.stream,
        stated.source,
        stated.account,
        stated.campaign_key,
        stated.spend_date,
        stated.currency,
        stated.kind

),

final as (

    select
        feed,
        stream,
        source,
        account,
        campaign_key,
        spend_date,
        currency,
        kind,
        version_at,
        load_number,
        cost,
        impressions,
        clicks,
        landed_rows,
        is_superseded,
        false as is_withdrawal
    from stated

    union all

    select
        feed,
        stream,
        source,
        account,
        campaign_key,
        spend_date,
        currency,
        kind,
        version_at,
        load_number,
        cast(0 as decimal(38, 9)) as cost,
        cast(0 as bigint) as impressions,
        cast(0 as bigint) as clicks,
        cast(0 as bigint) as landed_rows,
        false as is_superseded,
        true as is_withdrawal
    from withdrawn

)

select * from final
