-- What each platform billed for a month: after the settlement, when nothing moves any more. Media
-- comes in two lines, credits on a note of their own; fees and tax are not advertising.
with
billed as (
    select
        spend.source,
        spend.account,
        month.month,
        spend.currency,
        any_value(month.month_i) as month_i,
        coalesce(sum(spend.cost_minor) filter (spend.kind = 'media'), 0)::bigint as media_minor,
        coalesce(sum(spend.cost_minor) filter (spend.kind = 'credit'), 0)::bigint as credit_minor,
    from spend
    inner join month on spend.month_i = month.month_i
    where
        rate_of('invoices') > 0
        and spend.is_current
        and spend.kind in ('media', 'credit')
        and epoch(month.month_end + 5)::bigint + 9 * 3600 <= getvariable('as_of_s')
    group by spend.source, spend.account, month.month, spend.currency
),

lines as (
    select
        *,
        unnest([
            {'n': 1, 'kind': 'media', 'minor': media_minor // 3},
            {'n': 2, 'kind': 'media', 'minor': media_minor - media_minor // 3},
            {'n': 3, 'kind': 'fee', 'minor': media_minor // 50},
            {'n': 4, 'kind': 'tax', 'minor': (media_minor + credit_minor) // 10},
            {'n': 5, 'kind': 'credit', 'minor': credit_minor}
        ], recursive := true),
    from billed
)

select
    if(kind = 'credit', 'CN-', 'INV-') || account || '-' || strftime(month, '%Y%m')
        as invoice_id,
    source,
    account,
    month,
    -- Media is what a line is that says nothing.
    if(n = 1, null, kind) as kind,
    currency,
    money(minor, currency) as amount,
from lines
where minor <> 0
order by source, account, month, currency, n
