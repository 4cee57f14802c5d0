-- The versions of spend that are in the books, in whole minor units of both currencies.
-- Grain: stream, campaign key, account, day, currency, kind, version number.
-- `delta_minor` and `delta_amount_minor` add up over versions to today's figure.
-- Not in the books: superseded versions, days after as_of (committed, not spent), versions that
-- became known after as_of (but the first one always counts: it is how the day became known), and
-- detail whose total is in the books.

with

versions as (

    select * from {{ ref("int_spend__landed_version") }}
    where not is_superseded and not is_detail

),

-- Feeds in which several whole exports may state the same day.
feeds_of_many_files as (

    select feed
    from {{ ref("stg_landed__load") }}
    where table_name = 'spend' and mode = 'snapshot'
    group by feed
    having count(distinct file) > 1

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

rates as (

    select * from {{ ref("int_currency__spend_rate") }}

),

campaigns as (

    select * from {{ ref("int_campaign") }}

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

in_books as (

    select
        versions.*,
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
        ) as known_order,
        run_parameter.as_of,
        run_parameter.time_zone,
        run_parameter.cohort_period
    from versions
    cross join run_parameter
    where
        versions.spend_date <= {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }}

),

known as (

    select
        in_books.feed,
        in_books.stream,
        in_books.source,
        in_books.account,
        in_books.campaign_key,
        {{ cohort_start("in_books.spend_date", "in_books.cohort_period", "campaigns.started_on") }}
            as cohort_start_date,
        in_books.spend_date,
        in_books.currency,
        in_books.kind,
        in_books.known_order as version_number,
        in_books.version_at as known_at,
        in_books.load_number,
        in_books.is_withdrawal,
        in_books.is_from_detail,
        in_books.impressions,
        in_books.clicks,
        in_books.landed_rows,
        cast(
            in_books.cost * cast({{ power_of_ten("currencies.exponent") }} as decimal(4, 0))
            as decimal(38, 9)
        ) as exact_minor,
        rates.minor_rate
    from in_books
    inner join campaigns on in_books.campaign_key = campaigns.campaign_key
    left join calendar_days on in_books.spend_date = calendar_days.day
    left join currencies on in_books.currency = currencies.currency
    left join rates
        on
            in_books.currency = rates.currency
            and in_books.spend_date = rates.day
    where in_books.known_order = 1 or in_books.version_at <= in_books.as_of

),

with_standing as (

    select
        *,
        cast(date_trunc('month', spend_date) as date) as spend_month,
        version_number = max(version_number) over (
            partition by feed, stream, source, account, campaign_key, spend_date, currency, kind
        ) as is_current
    from known

),

-- Parts of a minor unit (micros, shared costs): today's figures of an account and month are rounded
-- by largest remainder, so that they add up to the rounded total and not to a sum of roundings.
with_remainder as (

    select
        *,
        cast(floor(exact_minor) as bigint) as floor_minor,
        row_number() over (
            partition by feed, source, account, currency, spend_month, is_current
            order by
                exact_minor - floor(exact_minor) desc,
                spend_date asc,
                campaign_key asc,
                kind asc,
                stream asc,
                version_number asc
        ) as remainder_rank,
        cast(
            round(sum(exact_minor) over account_months, 0) as bigint
        ) - cast(sum(floor(exact_minor)) over account_months as bigint) as units_left
    from with_standing
    window
        account_months as (
            partition by feed, source, account, currency, spend_month, is_current
        )

),

in_minor_units as (

    select
        *,
        case
            when is_current
                then floor_minor + case when remainder_rank <= units_left then 1 else 0 end
            else cast(round(exact_minor, 0) as bigint)
        end as cost_minor
    from with_remainder

),

stated_days as (

    select
        in_minor_units.feed,
        in_minor_units.source,
        in_minor_units.account,
        in_minor_units.campaign_key,
        in_minor_units.spend_date,
        in_minor_units.currency,
        in_minor_units.kind
    from in_minor_units
    inner join feeds_of_many_files on in_minor_units.feed = feeds_of_many_files.feed
    where in_minor_units.is_current
    group by
        in_minor_units.feed,
        in_minor_units.source,
        in_minor_units.account,
        in_minor_units.campaign_key,
        in_minor_units.spend_date,
        in_minor_units.currency,
        in_minor_units.kind
    having count(*) > 1

),

-- What several files state of one day is one published figure: converted once, its parts by largest
-- remainder, so that they add up to the figure at the day's rate.
parts as (

    select
        in_minor_units.*,
        cast(in_minor_units.cost_minor as decimal(18, 0)) * in_minor_units.minor_rate
            as exact_amount
    from in_minor_units
    inner join stated_days
        on
            in_minor_units.feed = stated_days.feed
            and in_minor_units.source = stated_days.source
            and in_minor_units.account = stated_days.account
            and in_minor_units.campaign_key = stated_days.campaign_key
            and in_minor_units.spend_date = stated_days.spend_date
            and in_minor_units.currency = stated_days.currency
            and in_minor_units.kind = stated_days.kind
    where in_minor_units.is_current

),

ranked_parts as (

    select
        *,
        row_number() over (
            partition by feed, source, account, campaign_key, spend_date, currency, kind
            order by exact_amount - floor(exact_amount) desc, stream asc
        ) as amount_rank,
        cast(round(sum(exact_amount) over days, 0) as bigint)
        - cast(sum(floor(exact_amount)) over days as bigint) as amount_units_left
    from parts
    window
        days as (
            partition by feed, source, account, campaign_key, spend_date, currency, kind
        )

),

in_reporting_currency as (

    select
        in_minor_units.*,
        coalesce(
            cast(floor(ranked_parts.exact_amount) as bigint)
            + case
                when ranked_parts.amount_rank <= ranked_parts.amount_units_left then 1
                else 0
            end,
            {{ at_minor_rate("in_minor_units.cost_minor", "in_minor_units.minor_rate") }}
        ) as amount_minor
    from in_minor_units
    left join ranked_parts
        on
            in_minor_units.feed = ranked_parts.feed
            and in_minor_units.stream = ranked_parts.stream
            and in_minor_units.source = ranked_parts.source
            and in_minor_units.account = ranked_parts.account
            and in_minor_units.campaign_key = ranked_parts.campaign_key
            and in_minor_units.spend_date = ranked_parts.spend_date
            and in_minor_units.currency = ranked_parts.currency
            and in_minor_units.kind = ranked_parts.kind
            and in_minor_units.version_number = ranked_parts.version_number

),

final as (

    select
        feed,
        stream,
        source,
        account,
        campaign_key,
        cohort_start_date,
        spend_date,
        currency,
        kind,
        version_number,
        known_at,
        load_number,
        is_current,
        is_withdrawal,
        is_from_detail,
        impressions,
        clicks,
        landed_rows,
        cost_minor,
        amount_minor,
        cost_minor - coalesce(
            lag(cost_minor) over (
                partition by
                    feed, stream, source, account, campaign_key, spend_date, currency, kind
                order by version_number
            ),
            0
        ) as delta_minor,
        amount_minor - coalesce(
            lag(amount_minor) over (
                partition by
                    feed, stream, source, account, campaign_key, spend_date, currency, kind
                order by version_number
            ),
            0
        ) as delta_amount_minor
    from in_reporting_currency

)

select * from final
