/*
id: B1
title: Spend ties out to its sources
meaning: >
  The spend in the books equals the total that each source states for itself, for every account
  and month, in the source's own currency, to the cent. Where a source states no total, the sum of
  its files counts, added up by other code than the books use. If this breaks, money is missing
  from the reports or stands in them twice.
severity: block
unit: minor
forgivable: true
waivable: true
owner: Marketing operations, who own the spend exports
what_to_do: >
  Compare the account and month in the rows with the platform's billing page. Usually an export
  was cut short, or a control total was taken before the platform restated its figures: export
  both again and rerun. If the platform's invoice is right and its export is not, add the
  difference as a row of kind 'credit' or 'overhead' with its own file.
*/

-- query: applies
with

spend_kept as (

    select coalesce(sum(kept_rows), 0) as kept_rows
    from audit.row
    where table_name = 'spend'

),

final as (

    select 'no spend source' as reason
    from spend_kept
    where kept_rows = 0

)

select * from final;

-- query: measure
-- Where several currencies meet, the totals are hash totals: good for comparing, not for reading.
with

final as (

    select
        cast(coalesce(sum(expected_minor), 0) as bigint) as expected,
        cast(coalesce(sum(actual_minor), 0) as bigint) as actual,
        cast(coalesce(sum(actual_minor), 0) - coalesce(sum(expected_minor), 0) as bigint)
            as difference,
        count(*) as checked,
        case when count(distinct currency) = 1 then min(currency) end as currency
    from audit.source_total

)

select * from final;

-- query: offenders
-- First each control total beside the figure that was reconciled with it, then that figure beside
-- the published facts, added up anew: a total that ties out to something else proves nothing.
with

books as (

    select
        source,
        account,
        cast(date_trunc('month', spend_date) as date) as month,
        currency,
        min(feed) as feed,
        cast(sum(cost_minor) as bigint) as cost_minor
    from main.fct_spend__campaign_daily
    group by source, account, month, currency

),

totals as (

    select
        source,
        account,
        month,
        currency,
        min(feed) as feed,
        cast(sum(actual_minor) as bigint) as actual_minor
    from audit.source_total
    group by source, account, month, currency

),

against_the_source as (

    select
        coalesce(books.feed, source_total.feed) as feed,
        'the books differ from the ' || source_total.basis as problem,
        source_total.source,
        source_total.account,
        source_total.month,
        source_total.currency,
        source_total.expected_minor,
        source_total.actual_minor
    from audit.source_total
    left join books
        on
            source_total.source is not distinct from books.source
            and source_total.account is not distinct from books.account
            and source_total.month is not distinct from books.month
            and source_total.currency is not distinct from books.currency
    where source_total.expected_minor is distinct from source_total.actual_minor

),

against_the_facts as (

    select
        coalesce(books.feed, totals.feed) as feed,
        'the published spend differs from what was reconciled' as problem,
        coalesce(books.source, totals.source) as source,
        coalesce(books.account, totals.account) as account,
        coalesce(books.month, totals.month) as month,
        coalesce(books.currency, totals.currency) as currency,
        totals.actual_minor as expected_minor,
        books.cost_minor as actual_minor
    from books
    full join totals
        on
            books.source is not distinct from totals.source
            and books.account is not distinct from totals.account
            and books.month is not distinct from totals.month
            and books.currency is not distinct from totals.currency
    where books.cost_minor is distinct from totals.actual_minor

),

problems as (

    select * from against_the_source

    union all

    select * from against_the_facts

),

final as (

    select
        *,
        coalesce(actual_minor, 0) - coalesce(expected_minor, 0) as difference_minor
    from problems
    order by abs(coalesce(actual_minor, 0) - coalesce(expected_minor, 0)) desc, source, month

)

select * from final;
