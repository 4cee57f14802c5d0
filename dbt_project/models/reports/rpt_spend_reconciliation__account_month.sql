-- Spend three times, side by side: what the books have, what the source itself totals, and what was
-- invoiced, with the difference of each pair as a residual of its own.
-- Grain: source, account, month_start_date, currency. Calendar months: control totals and invoices
-- come by them. Money is in the account's own currency.
-- Media and credits are held against invoiced media and credit notes (law B1); fees stand beside
-- overheads for the eye only: agencies and tools bill them elsewhere. Tax is no cost of the books.
-- Sources and accounts are matched as campaigns are: case, blanks and signs do not count.

with

spend as (

    select * from {{ ref("fct_spend__campaign_daily") }}

),

source_totals as (

    select * from {{ ref("audit_source_total") }}

),

invoices as (

    select * from {{ ref("stg_landed__invoice") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

-- An invoice delivered again replaces itself: the lines of its newest load count.
ranked_lines as (

    select
        *,
        dense_rank() over (
            partition by {{ match_key("source") }}, invoice_id
            order by _loaded_at desc, _load desc, _feed asc
        ) as recency
    from invoices

),

spend_months as (

    select
        {{ match_key("source") }} as source_match,
        {{ match_key("account") }} as account_match,
        cast(date_trunc('month', spend_date) as date) as month,
        currency,
        min(feed) as feed,
        min(source) as source,
        min(account) as account,
        coalesce(
            {{ exact_sum("case when kind not in ('credit', 'overhead') then cost_minor end") }}, 0
        ) as media_minor,
        coalesce({{ exact_sum("case when kind = 'credit' then cost_minor end") }}, 0)
            as credit_minor,
        coalesce({{ exact_sum("case when kind = 'overhead' then cost_minor end") }}, 0)
            as overhead_minor
    from spend
    group by 1, 2, 3, 4

),

control_months as (

    select
        {{ match_key("source") }} as source_match,
        {{ match_key("account") }} as account_match,
        month,
        currency,
        min(feed) as feed,
        min(source) as source,
        min(account) as account,
        {{ exact_sum("expected_minor") }} as control_total_minor
    from source_totals
    where month is not null
    group by 1, 2, 3, 4

),

lines_in_minor_units as (

    select
        ranked_lines._feed as feed,
        ranked_lines.source,
        coalesce(ranked_lines.account, '(default)') as account,
        cast(date_trunc('month', ranked_lines.month) as date) as month,
        ranked_lines.currency,
        ranked_lines.invoice_id,
        coalesce(nullif(ranked_lines.kind, ''), 'media') as kind,
        {{ minor_units("ranked_lines.amount", "currencies.exponent") }} as amount_minor
    from ranked_lines
    left join currencies on ranked_lines.currency = currencies.currency
    where ranked_lines.recency = 1

),

invoice_months as (

    select
        {{ match_key("source") }} as source_match,
        {{ match_key("account") }} as account_match,
        month,
        currency,
        min(feed) as feed,
        min(source) as source,
        min(account) as account,
        count(distinct invoice_id) as invoices,
        sum(case when kind in ('fee', 'tax') then 0 else 1 end) as invoice_lines,
        coalesce(
            {{ exact_sum("case when kind not in ('credit', 'fee', 'tax') then amount_minor end") }},
            0
        ) as invoiced_media_minor,
        coalesce({{ exact_sum("case when kind = 'credit' then amount_minor end") }}, 0)
            as credit_note_minor,
        coalesce({{ exact_sum("case when kind = 'fee' then amount_minor end") }}, 0)
            as invoiced_fee_minor,
        coalesce({{ exact_sum("case when kind = 'tax' then amount_minor end") }}, 0)
            as invoiced_tax_minor
    from lines_in_minor_units
    group by 1, 2, 3, 4

),

keys as (

    select
        source_match,
        account_match,
        month,
        currency
    from spend_months

    union

    select
        source_match,
        account_match,
        month,
        currency
    from control_months

    union

    select
        source_match,
        account_match,
        month,
        currency
    from invoice_months

),

joined as (

    select
        coalesce(spend_months.feed, invoice_months.feed, control_months.feed) as feed,
        coalesce(spend_months.source, control_months.source, invoice_months.source) as source,
        coalesce(spend_months.account, control_months.account, invoice_months.account) as account,
        keys.month as month_start_date,
        cast(keys.month + interval '1' month as date) as month_end_date,
        keys.currency,
        coalesce(spend_months.media_minor, 0) as media_minor,
        coalesce(spend_months.credit_minor, 0) as credit_minor,
        coalesce(spend_months.overhead_minor, 0) as overhead_minor,
        control_months.control_total_minor,
        coalesce(invoice_months.invoices, 0) as invoices,
        cast(coalesce(invoice_months.invoice_lines, 0) as bigint) as invoice_lines,
        invoice_months.invoiced_media_minor,
        invoice_months.credit_note_minor,
        invoice_months.invoiced_fee_minor,
        invoice_months.invoiced_tax_minor,
        run_parameter.as_of_date
    from keys
    cross join run_parameter
    left join spend_months
        on
            keys.source_match = spend_months.source_match
            and keys.account_match = spend_months.account_match
            and keys.month = spend_months.month
            and keys.currency = spend_months.currency
    left join control_months
        on
            keys.source_match = control_months.source_match
            and keys.account_match = control_months.account_match
            and keys.month = control_months.month
            and keys.currency = control_months.currency
    left join invoice_months
        on
            keys.source_match = invoice_months.source_match
            and keys.account_match = invoice_months.account_match
            and keys.month = invoice_months.month
            and keys.currency = invoice_months.currency

),

-- Each line of an invoice was rounded once, and the books' month once: halves of a minor unit.
with_residuals as (

    select
        *,
        media_minor + credit_minor + overhead_minor as books_minor,
        media_minor + credit_minor + overhead_minor - control_total_minor
            as control_residual_minor,
        case
            when invoice_lines > 0
                then media_minor + credit_minor - invoiced_media_minor - credit_note_minor
        end as invoice_residual_minor,
        overhead_minor - invoiced_fee_minor as fee_residual_minor,
        {{ floor_div("invoice_lines + 1", 2) }} as rounding_minor
    from joined

),

final as (

    select
        -- ids
        feed,
        -- text
        source,
        account,
        currency,
        case
            when month_end_date > as_of_date then 'month not over'
            when invoice_lines = 0 then 'no invoice yet'
            when abs(invoice_residual_minor) <= rounding_minor then 'ties out'
            else 'differs'
        end as status,
        -- numbers
        media_minor,
        credit_minor,
        overhead_minor,
        books_minor,
        control_total_minor,
        control_residual_minor,
        invoices,
        invoice_lines,
        invoiced_media_minor,
        credit_note_minor,
        invoice_residual_minor,
        rounding_minor,
        invoiced_fee_minor,
        fee_residual_minor,
        invoiced_tax_minor,
        -- times
        month_start_date,
        month_end_date
    from with_residuals

)

select * from final
