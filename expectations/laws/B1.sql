/*
id: B1
title: Spend ties out to its sources
meaning: >
  The spend in the books equals the total that each source states for itself, for every account
  and month, in the source's own currency, to the cent; where a source states none, the sum of its
  files, added up by other code than the books use. Where a month that is over has been invoiced,
  media and credits equal the invoices, and detail with its residual equals its total. If this
  breaks, money is missing from the reports or stands in them twice.
severity: block
unit: minor
forgivable: true
waivable: true
owner: Marketing operations, who own the spend exports
what_to_do: >
  Compare the account and month in the rows with the platform's billing page. Usually an export
  was cut short, or a control total was taken before the platform restated its figures: export
  both again and rerun. If the platform's invoice is right and its export is not, add the
  difference as a row of kind 'credit' or 'overhead' with its own file. An invoice that will never
  tie out can be accepted with a reason under `tolerances: laws: B1:` of the feed.
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
-- the published facts, added up anew: a total that ties out to something else proves nothing. Then
-- the invoices, and the detail.
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
        case
            when
                source_total.actual_minor is null
                and source_total.basis = 'declared control total'
                then 'a declared control total of an account and month that the books do not have'
            else 'the books differ from the ' || source_total.basis
        end as problem,
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

invoiced as (

    select
        *,
        media_minor + credit_minor as books_net_minor,
        invoiced_media_minor + credit_note_minor as invoiced_net_minor
    from main.rpt_spend_reconciliation__account_month
    where invoice_lines > 0

),

against_the_invoices as (

    select
        invoiced.feed,
        'the books differ from the invoices' as problem,
        invoiced.source,
        invoiced.account,
        invoiced.month_start_date as month,
        invoiced.currency,
        invoiced.invoiced_net_minor as expected_minor,
        invoiced.books_net_minor as actual_minor
    from invoiced
    cross join audit.run
    where
        invoiced.month_end_date <= run.as_of_date
        and coalesce(
            abs(invoiced.books_net_minor - invoiced.invoiced_net_minor)
            > (invoiced.invoice_lines + 1) // 2,
            true
        )

),

month_books as (

    select
        cast(date_trunc('month', spend_date) as date) as month,
        currency,
        cast(coalesce(sum(cost_minor), 0) as bigint) as cost_minor
    from main.fct_spend__campaign_daily
    group by all

),

month_reconciled as (

    select
        month_start_date as month,
        currency,
        cast(sum(books_minor) as bigint) as books_minor
    from main.rpt_spend_reconciliation__account_month
    group by all

),

against_the_reconciliation as (

    select
        cast(null as varchar) as feed,
        'what was reconciled with invoices is not the published spend' as problem,
        cast(null as varchar) as source,
        cast(null as varchar) as account,
        coalesce(month_books.month, month_reconciled.month) as month,
        coalesce(month_books.currency, month_reconciled.currency) as currency,
        month_books.cost_minor as expected_minor,
        month_reconciled.books_minor as actual_minor
    from month_books
    full join month_reconciled
        on
            month_books.month = month_reconciled.month
            and month_books.currency = month_reconciled.currency
    where coalesce(month_books.cost_minor, 0) <> coalesce(month_reconciled.books_minor, 0)

),

detail_days as (

    select
        campaign_key,
        account,
        spend_date,
        currency,
        min(feed) as feed,
        min(source) as source,
        count(*) filter (where is_residual) as residuals,
        cast(sum(cost_minor) as bigint) as cost_minor
    from main.fct_spend__ad_daily
    group by all

),

total_days as (

    select
        campaign_key,
        account,
        spend_date,
        currency,
        cast(sum(cost_minor) as bigint) as cost_minor
    from main.fct_spend__campaign_daily
    group by all

),

against_their_detail as (

    select
        detail_days.feed,
        case
            when total_days.campaign_key is null then 'detail without a total'
            when detail_days.residuals <> 1 then 'detail without its residual, or with two'
            else 'detail and residual do not add up to their total'
        end as problem,
        detail_days.source,
        detail_days.account,
        detail_days.spend_date as month,
        detail_days.currency,
        total_days.cost_minor as expected_minor,
        detail_days.cost_minor as actual_minor
    from detail_days
    left join total_days using (campaign_key, account, spend_date, currency)
    where
        detail_days.cost_minor is distinct from total_days.cost_minor
        or detail_days.residuals <> 1

),

problems as (

    select * from against_the_source

    union all

    select * from against_the_facts

    union all

    select * from against_the_invoices

    union all

    select * from against_the_reconciliation

    union all

    select * from against_their_detail

),

final as (

    select
        *,
        coalesce(actual_minor, 0) - coalesce(expected_minor, 0) as difference_minor
    from problems
    order by abs(coalesce(actual_minor, 0) - coalesce(expected_minor, 0)) desc, source, month

)

select * from final;
