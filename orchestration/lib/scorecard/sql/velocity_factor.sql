-- The four factors of the velocity of the last week that is over: what they are, were the week before
-- and are planned to be, and what each did to the velocity.
with weeks as (
    select
        *,
        lag(open_opportunities) over by_week as before_open_opportunities,
        lag(win_rate) over by_week as before_win_rate,
        lag(acv_minor) over by_week as before_acv_minor,
        lag(cycle_days) over by_week as before_cycle_days
    from rpt_velocity__segment_week
    where scope = 'company'
    window by_week as (order by week_start_date)
),

latest as (
    select * from weeks
    where is_complete
    order by week_start_date desc
    limit 1
),

factors as (
    select
        1 as ordinal,
        'open deals' as factor,
        'count' as unit,
        cast(open_opportunities as decimal(38, 9)) as value,
        cast(before_open_opportunities as decimal(38, 9)) as before_value,
        cast(null as decimal(38, 9)) as planned_value,
        open_opportunities_part_minor as part_minor
    from latest

    union all

    select
        2 as ordinal,
        'win rate' as factor,
        'rate' as unit,
        win_rate,
        before_win_rate,
        planned_win_rate,
        win_rate_part_minor
    from latest

    union all

    select
        3 as ordinal,
        'average deal' as factor,
        'minor' as unit,
        acv_minor,
        before_acv_minor,
        planned_acv_minor,
        acv_part_minor
    from latest

    union all

    select
        4 as ordinal,
        'days open' as factor,
        'days' as unit,
        cycle_days,
        before_cycle_days,
        null,
        cycle_days_part_minor
    from latest
)

select
    factor,
    unit,
    value,
    before_value,
    planned_value,
    part_minor
from factors
order by ordinal
