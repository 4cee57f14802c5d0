-- Every version of every spend figure, exact, in its own currency: what each load said about a key.
-- Grain: stream, campaign key, account, day, currency, kind, version_at.
-- Rows of a stream are summed, never dropped. Where a campaign, account, day and currency is stated
-- at several levels (total, ad groups, ads), whatever feed brings them, the coarsest is in the
-- books and the others are its detail; where only a finer one is, that one is the total.

with

spend_rows as (

    select * from {{ ref("int_spend__row") }}

),

loads as (

    select * from {{ ref("stg_landed__load") }}
    where table_name = 'spend'

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
        level_rank,
        sum(cost) as cost,
        {{ exact_sum("impressions") }} as impressions,
        {{ exact_sum("clicks") }} as clicks,
        count(*) as landed_rows
    from spend_rows
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
        has_own_version,
        level_rank

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
        loads.feed,
        loads.file || levels.suffix as stream,
        loads.load_number,
        loads.loaded_at
    from loads
    cross join (values (''), (' (ad_group)'), (' (ad)')) as levels (suffix)
    where loads.mode = 'snapshot'

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
        stated.level_rank,
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
        stated.kind,
        stated.level_rank

),

finer_days as (

    select distinct
        campaign_key,
        account,
        spend_date,
        currency
    from stated
    where level_rank > 0

),

-- At which levels their sources still state those days.
day_levels as (

    select
        stated.campaign_key,
        stated.account,
        stated.spend_date,
        stated.currency,
        min(stated.level_rank) as coarsest,
        max(stated.level_rank) as finest
    from stated
    inner join finer_days
        on
            stated.campaign_key = finer_days.campaign_key
            and stated.account = finer_days.account
            and stated.spend_date = finer_days.spend_date
            and stated.currency = finer_days.currency
    left join withdrawn
        on
            stated.feed = withdrawn.feed
            and stated.stream = withdrawn.stream
            and stated.source = withdrawn.source
            and stated.account = withdrawn.account
            and stated.campaign_key = withdrawn.campaign_key
            and stated.spend_date = withdrawn.spend_date
            and stated.currency = withdrawn.currency
            and stated.kind = withdrawn.kind
    where not stated.is_superseded and withdrawn.feed is null
    group by stated.campaign_key, stated.account, stated.spend_date, stated.currency

),

every_version as (

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
        false as is_withdrawal,
        level_rank
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
        true as is_withdrawal,
        level_rank
    from withdrawn

),

final as (

    select
        every_version.feed,
        every_version.stream,
        every_version.source,
        every_version.account,
        every_version.campaign_key,
        every_version.spend_date,
        every_version.currency,
        every_version.kind,
        every_version.version_at,
        every_version.load_number,
        every_version.cost,
        every_version.impressions,
        every_version.clicks,
        every_version.landed_rows,
        every_version.is_superseded,
        every_version.is_withdrawal,
        coalesce(every_version.level_rank > day_levels.coarsest, false) as is_detail,
        every_version.level_rank > 0
        and every_version.level_rank <= coalesce(day_levels.coarsest, 2) as is_from_detail,
        coalesce(
            every_version.level_rank > day_levels.coarsest
            and every_version.level_rank < day_levels.finest,
            false
        ) as is_subtotal
    from every_version
    left join day_levels
        on
            every_version.campaign_key = day_levels.campaign_key
            and every_version.account = day_levels.account
            and every_version.spend_date = day_levels.spend_date
            and every_version.currency = day_levels.currency

)

select * from final
