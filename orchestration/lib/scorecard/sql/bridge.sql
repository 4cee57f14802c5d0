-- From the MQLs that Marketing reports to the accepted leads that Sales reports, line by line.
-- Where no claim covers the whole period, the claims of its parts are added up, and what no claim
-- covers is a line. Each line goes from `start_value` to `end_value`.
with claims as (
    select *
    from rpt_claims_bridge__period
    where
        scope = 'company'
        and period_start_date >= $period_start
        and period_end_date <= $period_end
        and (
            (department = 'marketing' and metric = 'mqls')
            or (department = 'sales' and metric = 'accepted_leads')
        )
),

whole as (
    select distinct department
    from claims
    where period_start_date = $period_start and period_end_date = $period_end
),

counted as (
    select
        claims.department,
        claims.line,
        coalesce(claims.note, claims.reason, claims.line) as label,
        cast(sum(claims.value) as bigint) as value
    from claims
    left join whole on claims.department = whole.department
    where
        whole.department is null
        or (claims.period_start_date = $period_start and claims.period_end_date = $period_end)
    group by 1, 2, 3
),

books as (
    select line_number, line, reason, line_kind, leads
    from rpt_handoff_bridge__period
    where
        scope = 'company'
        and period_start_date = $period_start
        and period_end_date = $period_end
),

lines as (
    select 1 as block, 0 as place, 'Marketing reports MQLs' as label, 'total' as kind, value
    from counted
    where department = 'marketing' and line = 'claim'
    union all
    select 2, 0, label, 'difference', -value
    from counted
    where department = 'marketing' and line not in ('claim', 'books') and value <> 0
    union all
    select 3, 0, 'not covered by a claim of Marketing', 'difference', books.leads - counted.value
    from books
    inner join counted on counted.department = 'marketing' and counted.line = 'books'
    where books.line = 'mqls' and books.leads <> counted.value
    union all
    select
        4,
        line_number,
        case
            when line = 'mqls' then 'MQLs in the books'
            when line = 'accepted' then 'of these accepted by Sales'
            when line = 'sals' then 'accepted leads in the books'
            when reason is null then replace(replace(line, '_', ' '), 'mqls', 'MQLs')
            else replace(line, '_', ' ') || ': ' || reason
        end,
        line_kind,
        case when line_kind = 'total' then leads else -leads end
    from books
    union all
    select 5, 0, 'not covered by a claim of Sales', 'difference', counted.value - books.leads
    from books
    inner join counted on counted.department = 'sales' and counted.line = 'books'
    where books.line = 'sals' and books.leads <> counted.value
    union all
    select 6, 0, label, 'difference', value
    from counted
    where department = 'sales' and line not in ('claim', 'books') and value <> 0
    union all
    select 7, 0, 'Sales reports accepted leads', 'total', value
    from counted
    where department = 'sales' and line = 'claim'
),

numbered as (
    select
        row_number() over (order by block, place, label) as line_number,
        label,
        kind,
        value
    from lines
),

grouped as (
    select
        *,
        count(*) filter (where kind = 'total') over (order by line_number) as after_total
    from numbered
)

select
    line_number,
    label,
    kind,
    value,
    cast(sum(value) over (partition by after_total order by line_number) as bigint) as end_value,
    cast(
        case
            when kind = 'total' then 0
            else sum(value) over (partition by after_total order by line_number) - value
        end as bigint
    ) as start_value
from grouped
order by line_number
