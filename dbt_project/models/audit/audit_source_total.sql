-- Each source's own control total of spend beside the books, per account and month, in the source's
-- own currency. Law B1 compares the two.
-- Grain: feed, source, account, month, currency.
-- Basis: the total the source itself declares; where it declares none, the sum of its files as read
-- by other code than the books', less the versions that a later one replaced.

with

declared_totals as (

    select * from {{ ref("stg_landed__control_total") }}

),

file_totals as (

    select * from {{ ref("stg_landed__source_total") }}

),

landed_versions as (

    select * from {{ ref("int_spend__landed_version") }}

),

versions as (

    select * from {{ ref("int_spend__version") }}

),

currencies as (

    select
        currency,
        cast({{ power_of_ten("exponent") }} as decimal(4, 0)) as minor_units
    from {{ ref("currencies") }}

),

-- The same total delivered twice: the newest load counts, then the line furthest down.
newest_declared as (

    select
        _feed as feed,
        source,
        coalesce(account, '(default)') as account,
        cast(date_trunc('month', month) as date) as month,
        currency,
        cost,
        row_number() over (
            partition by source, account, month, currency
            order by _loaded_at desc, _load desc, _line desc, _feed asc, _file asc
        ) as recency
    from declared_totals

),

declared as (

    select
        source,
        account,
        month,
        currency,
        cost
    from newest_declared
    where recency = 1

),

declared_sources as (

    select distinct source
    from declared

),

file_loads as (

    select distinct
        feed,
        load_number
    from file_totals

),

current_versions as (

    select * from versions
    where is_current

),

-- Rows of those files that are not in the books: a later version replaced them, or their day is
-- still to come.
not_in_books as (

    select
        landed_versions.feed,
        landed_versions.source,
        landed_versions.account,
        cast(date_trunc('month', landed_versions.spend_date) as date) as month,
        landed_versions.currency,
        sum(landed_versions.cost) as cost
    from landed_versions
    inner join file_loads
        on
            landed_versions.feed = file_loads.feed
            and landed_versions.load_number = file_loads.load_number
    left join current_versions
        on
            landed_versions.feed = current_versions.feed
            and landed_versions.stream = current_versions.stream
            and landed_versions.source = current_versions.source
            and landed_versions.account = current_versions.account
            and landed_versions.campaign_key = current_versions.campaign_key
            and landed_versions.spend_date = current_versions.spend_date
            and landed_versions.currency = current_versions.currency
            and landed_versions.kind = current_versions.kind
            and landed_versions.version_at = current_versions.known_at
            and landed_versions.load_number = current_versions.load_number
    where current_versions.feed is null
    group by 1, 2, 3, 4, 5

),

file_sums as (

    select
        feed,
        source,
        coalesce(account, '(default)') as account,
        cast(date_trunc('month', month) as date) as month,
        currency,
        sum(cost) as cost
    from file_totals
    where source not in (select declared_sources.source from declared_sources)
    group by 1, 2, 3, 4, 5

),

expected as (

    select
        '(declared)' as feed,
        source,
        account,
        month,
        currency,
        cost,
        'declared control total' as basis
    from declared

    union all

    select
        file_sums.feed,
        file_sums.source,
        file_sums.account,
        file_sums.month,
        file_sums.currency,
        file_sums.cost - coalesce(not_in_books.cost, 0) as cost,
        'file total' as basis
    from file_sums
    left join not_in_books
        on
            file_sums.feed = not_in_books.feed
            and file_sums.source = not_in_books.source
            and file_sums.account = not_in_books.account
            and file_sums.month is not distinct from not_in_books.month
            and file_sums.currency = not_in_books.currency

),

expected_minor as (

    select
        expected.feed,
        expected.source,
        expected.account,
        expected.month,
        expected.currency,
        expected.basis,
        cast(round(expected.cost * currencies.minor_units, 0) as bigint) as expected_minor
    from expected
    left join currencies on expected.currency = currencies.currency

),

actual as (

    select
        case
            when source in (select declared_sources.source from declared_sources)
                then '(declared)'
            else feed
        end as feed,
        source,
        account,
        cast(date_trunc('month', spend_date) as date) as month,
        currency,
        {{ exact_sum("cost_minor") }} as actual_minor
    from current_versions
    group by 1, 2, 3, 4, 5

),

final as (

    select
        coalesce(expected_minor.feed, actual.feed) as feed,
        coalesce(expected_minor.source, actual.source) as source,
        coalesce(expected_minor.account, actual.account) as account,
        coalesce(expected_minor.month, actual.month) as month,
        coalesce(expected_minor.currency, actual.currency) as currency,
        expected_minor.expected_minor,
        actual.actual_minor,
        coalesce(expected_minor.basis, 'no control total') as basis
    from expected_minor
    full outer join actual
        on
            expected_minor.feed = actual.feed
            and expected_minor.source = actual.source
            and expected_minor.account = actual.account
            and expected_minor.month = actual.month
            and expected_minor.currency = actual.currency
    -- A control total of zero needs no row in the books.
    where coalesce(expected_minor.expected_minor, 0) <> 0 or actual.actual_minor is not null

)

select * from final
