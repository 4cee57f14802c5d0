-- The dollars of the period's cohorts in four parts that add up: what reached Sales (accepted, ever),
-- what was turned away before that, what still waits, and what no lead holds.
with parts as (
    select
        case
            when furthest in ('sal', 'sql', 'opportunity', 'won') then 'reached Sales'
            when furthest = 'none' then 'with no lead'
            when stage in ('lead', 'mql') then 'waiting'
            else 'turned away'
        end as part,
        amount_minor
    from ($flow) as flow
)

select
    part,
    cast(sum(amount_minor) as bigint) as amount_minor,
    cast(round(100.0 * sum(amount_minor) / nullif(sum(sum(amount_minor)) over (), 0), 1) as decimal(18, 1))
        as share_pct
from parts
group by part
order by list_position(['reached Sales', 'waiting', 'turned away', 'with no lead'], part)
