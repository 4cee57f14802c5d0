-- Spend as the platforms reported it, each figure with the time it was read: the first reading on
-- the next morning, restatements over the next two days, the settlement five days after month end.

create table spend_key as
with
months as (
    select
        month_i,
        max(month_weight) as month_weight,
    from cell
    group by month_i
),

keyed as (
    select
        camp.c,
        day.day_i,
        day.day,
        day.month_i,
        camp.c * 8192 + day.day_i as key,
        -- What the plan expects this campaign to cost on this day.
        greatest(
            (
                greatest(getvariable('leads'), 1)::hugeint * day.weight * camp.spend_weight
                * camp.cost_per_lead_minor
                // (getvariable('day_weight') * greatest(months.month_weight, 1))
            )::bigint,
            100
        ) as expected_minor,
    from camp
    inner join day on day.month_i between camp.first_month_i and camp.last_month_i
    inner join months on day.month_i = months.month_i
    where camp.spend_weight > 0 and (camp.last_day is null or day.day <= camp.last_day)
)

select
    *,
    (expected_minor::hugeint * (750 + draw('cost', key, 501)) // 1000)::bigint as base_minor,
    case
        when draw('restated', key, 10000) < rate_of('restatements') then 3
        when draw('restated', key, 10000) < 3 * rate_of('restatements') then 2
        else 1
    end as readings,
    draw('settled', key, 10000) < rate_of('restatements') // 4 as is_settled,
from keyed;

create table spend_reading as
with
read as (
    select
        *,
        unnest(range(1, readings + is_settled::bigint + 1)) as reading,
    from spend_key
),

valued as (
    select
        read.c,
        read.day_i,
        read.day,
        read.month_i,
        read.reading,
        (
            read.base_minor
            + if(
                read.reading = 1 and read.readings = 1 and not read.is_settled,
                0,
                read.base_minor::hugeint
                * (draw('restatement', read.key * 8 + read.reading, 61) - 30)
                // 1000
            )
        )::bigint as cost_minor,
        case
            when read.reading > read.readings
                then epoch(month.month_end + 5)::bigint + 9 * 3600
            when read.reading = 1
                then least(
                    epoch(read.day + 1)::bigint + 5 * 3600 + draw('read', read.key, 3600),
                    getvariable('as_of_s')
                )
            else
                epoch(read.day)::bigint + read.reading * 86400 + 5 * 3600
                + draw('read', read.key, 3600)
        end as loaded_s,
    from read
    inner join month on read.month_i = month.month_i
)

select
    *,
    reading = max(reading) over (partition by c, day_i) as is_current,
from valued
where loaded_s <= getvariable('as_of_s');

-- Invalid clicks come back as credits at the settlement, dated on the campaign's last day of the
-- month; a campaign named by `credit_heavy` gets more back than it cost.
create table credit as
select
    reading.c,
    max(reading.day) as day,
    reading.month_i,
    -greatest(
        (
            sum(reading.cost_minor)
            * if(
                any_value(camp.credit_heavy_month_i) = reading.month_i,
                3000,
                5 + draw('credit', reading.c, 16)
            ) // 1000
        )::bigint,
        1
    ) as cost_minor,
    any_value(epoch(month.month_end + 5))::bigint + 9 * 3600 as loaded_s,
from spend_reading as reading
inner join camp on reading.c = camp.c
inner join month on reading.month_i = month.month_i
where
    reading.is_current
    and epoch(month.month_end + 5)::bigint + 9 * 3600 <= getvariable('as_of_s')
    and (
        camp.credit_heavy_month_i = reading.month_i
        or draw('credited', reading.c * 8192 + reading.month_i, 10000) < rate_of('credits')
    )
group by reading.c, reading.month_i;

-- The mirage spent its budget to the cent: what chance left over is spread over all days evenly.
create table settling as
with
gap as (
    select
        getvariable('mirage_spend_minor')
        - (select coalesce(sum(cost_minor), 0) from spend_reading where is_current)::bigint
        - (select coalesce(sum(cost_minor), 0) from credit)::bigint as minor,
    where getvariable('scenario') = 'mirage'
),

numbered as (
    select
        c,
        day_i,
        row_number() over (order by c, day_i) - 1 as n,
        count(*) over () as keys,
    from spend_key
)

select
    numbered.c,
    numbered.day_i,
    gap.minor * (numbered.n + 1) // numbered.keys - gap.minor * numbered.n // numbered.keys
        as add_minor,
from numbered
cross join gap;

create table spend as
with
media as (
    select
        camp.source,
        camp.account,
        camp.campaign,
        reading.c,
        reading.day,
        reading.month_i,
        camp.currency,
        'media' as kind,
        reading.reading,
        (reading.cost_minor + coalesce(settling.add_minor, 0))::bigint as cost_minor,
        reading.loaded_s,
        reading.is_current,
        if(
            draw('finer', reading.c, 10000) < rate_of('finer_rows'), 2, 1
        ) as parts,
    from spend_reading as reading
    inner join camp on reading.c = camp.c
    left join settling on reading.c = settling.c and reading.day_i = settling.day_i
),

credits as (
    select
        camp.source,
        camp.account,
        camp.campaign,
        credit.c,
        credit.day,
        credit.month_i,
        camp.currency,
        'credit' as kind,
        1 as reading,
        credit.cost_minor,
        credit.loaded_s,
        true as is_current,
        1 as parts,
    from credit
    inner join camp on credit.c = camp.c
),

overhead_names as (
    select *
    from (
        values
        (0, 'Agency fee', 118000),
        (1, 'Tools', 34900)
    ) as names(n, account, monthly_minor)
),

overheads as (
    select
        platform.source,
        overhead_names.account,
        null::varchar as campaign,
        null::bigint as c,
        if(overhead_names.n = 0, month.last_day, month.month) as day,
        month.month_i,
        platform.currency,
        'overhead' as kind,
        1 as reading,
        (
            overhead_names.monthly_minor
            + if(overhead_names.n = 0, 50 * draw('fee', month.month_i, 2000), 0)
        )::bigint as cost_minor,
        least(
            epoch(if(overhead_names.n = 0, month.last_day, month.month) + 1)::bigint + 6 * 3600,
            getvariable('as_of_s')
        ) as loaded_s,
        true as is_current,
        1 as parts,
    from month
    cross join overhead_names
    inner join (
        select
            source,
            any_value(currency) as currency,
        from camp
        where c = 0
        group by source
    ) as platform on true
    where rate_of('overheads') > 0
)

select * from media
union all
select * from credits
union all
select * from overheads
order by source, account, day, campaign nulls first, kind, reading;

create macro overhead_campaign(kind, campaign) as
    if(kind = 'overhead', '(overhead)', coalesce(campaign, '(no campaign)'));
