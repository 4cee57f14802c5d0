-- The ad groups or ads below a total, as they stand today: the newest version of each campaign and
-- day, restated like any spend.
-- Grain: feed, stream, source, account, campaign_key, spend_date, currency, kind, ad_group, ad.

with

versions as (

    select * from {{ ref("int_spend__landed_version") }}
    where is_detail and not is_subtotal and not is_superseded

),

spend_rows as (

    select * from {{ ref("int_spend__row") }}
    where level_rank > 0

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

in_order as (

    select
        versions.*,
        run_parameter.as_of,
        row_number() over (
            partition by
                versions.feed,
                versions.stream,
                versions.source,
                versions.account,
                versions.campaign_key,
                versions.spend_date,
                versions.currency,
                versions.kind
            order by versions.version_at, versions.load_number
        ) as known_order
    from versions
    cross join run_parameter
    where
        versions.spend_date <= {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by feed, stream, source, account, campaign_key, spend_date, currency, kind
            order by known_order desc
        ) as recency
    from in_order
    where known_order = 1 or version_at <= as_of

),

standing as (

    select * from ranked
    where recency = 1 and not is_withdrawal

),

final as (

    select
        spend_rows.feed,
        spend_rows.stream,
        spend_rows.source,
        spend_rows.account,
        spend_rows.campaign_key,
        spend_rows.spend_date,
        spend_rows.currency,
        spend_rows.kind,
        coalesce(spend_rows.ad_group, '(none)') as ad_group,
        coalesce(spend_rows.ad, '(none)') as ad,
        spend_rows.version_at as known_at,
        spend_rows.load_number,
        sum(spend_rows.cost) as cost,
        {{ exact_sum("spend_rows.impressions") }} as impressions,
        {{ exact_sum("spend_rows.clicks") }} as clicks,
        count(*) as landed_rows
    from spend_rows
    inner join standing
        on
            spend_rows.feed = standing.feed
            and spend_rows.stream = standing.stream
            and spend_rows.source = standing.source
            and spend_rows.account = standing.account
            and spend_rows.campaign_key = standing.campaign_key
            and spend_rows.spend_date = standing.spend_date
            and spend_rows.currency = standing.currency
            and spend_rows.kind = standing.kind
            and spend_rows.version_at = standing.version_at
            and spend_rows.load_number = standing.load_number
    group by
        spend_rows.feed,
        spend_rows.stream,
        spend_rows.source,
        spend_rows.account,
        spend_rows.campaign_key,
        spend_rows.spend_date,
        spend_rows.currency,
        spend_rows.kind,
        coalesce(spend_rows.ad_group, '(none)'),
        coalesce(spend_rows.ad, '(none)'),
        spend_rows.version_at,
        spend_rows.load_number

)

select * from final
