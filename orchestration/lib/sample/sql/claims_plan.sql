-- What the departments said: the periods, and every first entry into a stage with its time.

create table period as
select
    month as period_start,
    last_day as period_end,
    start_s,
    end_s,
from month
union all
select
    min(month) as period_start,
    max(last_day) as period_end,
    min(start_s) as start_s,
    max(end_s) as end_s,
from month
where getvariable('scenario') = 'mirage'
having count(*) > 1
order by period_start, period_end;

create table expected as
select
    month.month_i,
    month.month as period_start,
    month.month_end as period_end,
    camp.channel,
    round(
        sum(
            getvariable('leads') * getvariable('kept_share') * month.weight * cell.lead_weight
            / (getvariable('day_weight') * greatest(cell.month_weight, 1))
        ) / getvariable('plan_divisor')
    )::bigint as leads,
from cell
inner join month on cell.month_i = month.month_i
inner join camp on cell.c = camp.c
group by month.month_i, month.month, month.month_end, camp.channel
order by month.month_i, camp.channel;

create table expected_cost as
select
    spend_key.month_i,
    camp.channel,
    (
        sum(
            spend_key.expected_minor::hugeint * camp.plan_micros
            * getvariable('home_mills')[camp.currency]
        )
        // (1000000000 * getvariable('plan_divisor'))
    )::bigint as cost_minor,
from spend_key
inner join camp on spend_key.c = camp.c
group by spend_key.month_i, camp.channel
union all
select
    month_i,
    'overhead' as channel,
    202900 as cost_minor,
from month
where rate_of('overheads') > 0
order by month_i, channel;
