-- The company as it really is: who came when, from where, and how far each got. Everything that is
-- delivered (files/) and everything that is true (truth/) is read from these tables, never from
-- each other. DuckDB only; small tables `camp` and `zone_day` come from Python.
-- Chance is draw(stream, index, n): no state, no order. A join would give up the order of rows, so
-- large queries look things up in lists (variables) instead: threads cannot change a byte.

create macro draw(stream, i, n) as (
    hash((i)::bigint + (hash(getvariable('seed') || '/' || stream) >> 3)::bigint) % (n)::ubigint
)::bigint;

create macro rate_of(oddity) as getvariable('rates')[oddity];

create macro at_second(s) as make_timestamp((s)::bigint * 1000000);

-- The number of what belongs to record i: its n-th neighbour, a milliard further.
create macro related(i, n) as (i)::bigint + (n)::bigint * 1000000000;

create macro pick(words, stream, i) as words[1 + draw(stream, i, len(words))];

-- The second after creation at which step k (1, 2, …) of journey i happens; rises with k.
create macro step_after(i, k, gap) as (k) * gap + draw('step', (i) * 64 + (k), gap);

create table day as
select
    day_i,
    getvariable('first_day') + day_i::integer as day,
    (year(getvariable('first_day') + day_i::integer) - year(getvariable('first_day'))) * 12
    + month(getvariable('first_day') + day_i::integer) - month(getvariable('first_day'))
        as month_i,
    date_trunc('month', getvariable('first_day') + day_i::integer)::date as month,
    midnight_s,
    if(isodow(getvariable('first_day') + day_i::integer) > 5, 7, 20)::bigint as weight,
from zone_day
order by day_i;

create table month as
select
    month_i,
    month,
    (month + interval 1 month)::date - 1 as month_end,
    max(day) as last_day,
    count(*) as days,
    sum(weight)::bigint as weight,
    getvariable('month_start_s')[month_i + 1] as start_s,
    getvariable('month_end_s')[month_i + 1] as end_s,
from day
group by month_i, month
order by month_i;

create table day_slot as
with reached as (
    select
        day_i,
        weight,
        (sum(weight) over (order by day_i))::bigint as hi,
    from day
)

select
    unnest(range(hi - weight, hi)) as x,
    day_i,
from reached;

set variable day_weight = (select sum(weight)::bigint from day);

set variable slot_day = (select list(day_i order by x) from day_slot);

set variable day_midnight = (select list(midnight_s order by day_i) from day);

set variable day_month = (select list(month_i order by day_i) from day);

-- The weight of a campaign's leads within a month, laid out over `slots` so that a lead finds its
-- campaign by one equality.
create table cell as
select
    month.month_i,
    camp.c,
    camp.lead_weight,
    (sum(camp.lead_weight) over (partition by month.month_i))::bigint as month_weight,
    (sum(camp.lead_weight) over (partition by month.month_i order by camp.c))::bigint as hi,
from month
inner join camp on month.month_i between camp.first_month_i and camp.last_month_i;

create table cell_slot as
select
    month_i,
    c,
    unnest(range(
        (hi - lead_weight) * getvariable('slots') // month_weight,
        hi * getvariable('slots') // month_weight
    )) as slot,
from cell;

set variable cell_campaign = (select list(c order by month_i, slot) from cell_slot);

-- The campaign that slot `slot` of a month falls to.
create macro campaign_at(month_i, slot) as
    getvariable('cell_campaign')[(month_i) * getvariable('slots') + (slot) + 1];

create macro source_of(c) as getvariable('camp_source')[(c) + 1];

create macro campaign_of(c) as getvariable('camp_campaign')[(c) + 1];

create macro currency_of(c) as getvariable('camp_currency')[(c) + 1];

create table fx as
select
    day.day,
    foreign_currency.code as currency,
    (
        (
            foreign_currency.micros
            + (
                300 * (abs((day.day_i + 20) % 120 - 60) - 30)
                + 100 * (draw('fx ' || foreign_currency.code, day.day_i, 81) - 40)
            ) * least(foreign_currency.micros, 1000000) // 1000000
        ) * 0.000001::decimal(7, 6)
    )::decimal(18, 6) as rate,
from (
    select
        day_i,
        getvariable('first_day') + day_i::integer as day,
    from range((getvariable('as_of')::date - getvariable('first_day')) + 1) as dates(day_i)
) as day
cross join (select unnest(getvariable('foreign_currencies'), recursive := true)) as foreign_currency
order by day.day, currency;

create table base as
with
numbered as (
    select
        i,
        i >= getvariable('leads') as is_direct,
        if(
            i < getvariable('leads'),
            (i * getvariable('day_weight') + draw('when', i, getvariable('day_weight')))
            // greatest(getvariable('leads'), 1),
            (
                (i - getvariable('leads')) * getvariable('day_weight')
                + draw('when', i, getvariable('day_weight'))
            ) // greatest(getvariable('direct_deals'), 1)
        ) as x,
        draw('kind', i, 10000) as roll,
        greatest(i - 1 - draw('survivor', i, least(greatest(i, 1), 40)), 0) as earlier_i,
        draw('campaign', i, getvariable('slots')) as slot,
    from range(getvariable('leads') + getvariable('direct_deals')) as numbers(i)
),

judged as (
    select
        *,
        i > 0 and draw('kind', earlier_i, 10000) >= getvariable('kept_roll') as has_earlier,
    from numbered
),

dated as (
    select
        i,
        case
            when is_direct then 'direct'
            when roll < rate_of('test_records') then 'test'
            when roll < rate_of('test_records') + rate_of('staff_leads') then 'staff'
            when has_earlier and roll < getvariable('merge_roll') then 'merged'
            when roll >= getvariable('odd_roll') and roll < getvariable('kept_roll')
                then if(i % 3 = 0, 'competitor', 'bot')
            else 'kept'
        end as kind,
        if(
            not is_direct
            and has_earlier
            and roll >= rate_of('test_records') + rate_of('staff_leads')
            and roll < getvariable('odd_roll'),
            earlier_i,
            i
        ) as person_i,
        slot,
        getvariable('slot_day')[x + 1] as day_i,
    from judged
),

placed as (
    select
        *,
        getvariable('day_month')[day_i + 1] as month_i,
        getvariable('day_midnight')[day_i + 1] + 21600 + draw('second', i, 57600) as created_s,
    from dated
)

select
    i,
    kind,
    person_i,
    day_i,
    month_i,
    created_s,
    if(kind = 'direct', getvariable('direct_c'), campaign_at(month_i, slot)) as c,
from placed;

-- The mirage's exact figures: which leads qualify and which of them Sales accepts. Only leads old
-- enough to have got there within the quarter are eligible.
create table chosen as
select
    i,
    row_number() over (order by draw('chosen', i, 4611686018427387904), i) as n,
from base
where
    getvariable('scenario') = 'mirage'
    and kind = 'kept'
    and created_s <= getvariable('last_end_s') - 12 * 86400
qualify n <= getvariable('mirage_mqls');

set variable chosen_mqls = (select coalesce(list(i order by i), []) from chosen);

set variable chosen_accepted = (
    select coalesce(list(i order by i), []) from chosen where n <= getvariable('mirage_accepted')
);

-- Step codes: 2 mql, 3 sal, 4 sql, 5 opportunity, 6 proposal, 7 negotiation, 8 won (the funnel);
-- 9 called qualified without being so; 10 rejected, 11 recycled, 12 expired, 13 disqualified,
-- 14 lost (the exits).
create table lead as
with
rolled as (
    select
        i,
        kind,
        person_i,
        day_i,
        month_i,
        created_s,
        c,
        case
            when kind = 'direct' then true
            when getvariable('scenario') = 'mirage'
                then list_contains(getvariable('chosen_mqls'), i)
            else draw('mql', i, 1000000) < getvariable('camp_mql_ppm')[c + 1]
        end as is_mql,
        case
            when kind = 'direct' then 'accepted'
            when kind <> 'kept' then 'unworked'
            when getvariable('scenario') = 'mirage'
                then case
                    when list_contains(getvariable('chosen_accepted'), i) then 'accepted'
                    when draw('outcome', i, 1000) < 650 then 'rejected'
                    when draw('outcome', i, 1000) < 720 then 'recycled'
                    when draw('outcome', i, 1000) < 920 then 'expired'
                    else 'unworked'
                end
            when draw('outcome', i, 1000) < 550 then 'accepted'
            when draw('outcome', i, 1000) < 770 then 'rejected'
            when draw('outcome', i, 1000) < 830 then 'recycled'
            when draw('outcome', i, 1000) < 890 then 'expired'
            else 'unworked'
        end as outcome,
        kind = 'direct'
        or draw('sql', i, 1000) < if(day_i >= getvariable('shift_day_i'), 420, 600) as is_sql,
        kind = 'direct' or draw('opportunity', i, 1000) < 600 as is_opportunity,
        draw('deal', i, 1000) as deal_roll,
        if(day_i >= getvariable('shift_day_i'), 213, 300) as win_rate,
        case
            when kind = 'direct' then 259200 + draw('gap', i, 600000)
            when getvariable('scenario') = 'mirage' then 14400 + draw('gap', i, 158400)
            else 14400 + draw('gap', i, 400000)
        end as gap,
        draw('skip mql', i, 10000) < rate_of('skips') as skips_mql,
        draw('skip sal', i, 10000) < rate_of('skips') as skips_sal,
        draw('skip proposal', i, 10000) < rate_of('skips') as skips_proposal,
        draw('lead regress', i, 10000) < rate_of('regressions') as regresses,
        draw('deal regress', i, 10000) < rate_of('regressions') as deal_regresses,
        draw('recycle', i, 10000) < rate_of('recycled') as is_recycled,
        draw('reopen', i, 10000) < rate_of('reopened_deals') as is_reopened,
        draw('unqualified', i, 10000) < rate_of('claimed_unqualified') as is_claimed,
        draw('history', i, 10000) < rate_of('leads_without_history') as lost_history,
        draw('deleted', i, 10000) < rate_of('deleted_opportunities') as is_deleted,
    from base
),

walked as (
    select
        *,
        case
            when kind = 'direct' then []::tinyint[]
            when not is_mql and kind = 'kept' and is_claimed then [9]::tinyint[]
            when not is_mql and draw('cold', i, 100) < 12 then [13]::tinyint[]
            when not is_mql then []::tinyint[]
            when outcome = 'accepted'
                then if(skips_mql, [], [2])
                || if(is_recycled and not skips_mql, if(i % 2 = 0, [11, 2], [10, 2]), [])
                || if(skips_sal and is_sql and not skips_mql, [], [3])
                || if(regresses and not skips_sal and not skips_mql, [2, 3], [])
                -- In the trap Sales says so at once; elsewhere most are silently left lying.
                || if(
                    is_sql,
                    [4],
                    if(
                        draw('dropped', i, 100)
                        < if(getvariable('scenario') = 'quality-trap', 90, 30),
                        [13],
                        []
                    )
                )
            when outcome = 'rejected' then [2, 10]
            when outcome = 'recycled' then [2, 11]
            when outcome = 'expired' then [2, 12]
            else [2]
        end::tinyint[] as lead_steps,
        case
            when not (is_mql and outcome = 'accepted' and is_sql and is_opportunity) then []
            else
                [5]
                || if(deal_roll % 2 = 0, [5], [])
                || if(skips_proposal, [], [6])
                || if(deal_regresses, [5, 6], [])
                || [7]
                || if(is_reopened and deal_roll < 750, [14, 7], [])
                || if(deal_roll < win_rate, [8], if(deal_roll < 750, [14], []))
        end::tinyint[] as deal_steps,
    from rolled
),

timed as (
    select
        i,
        kind,
        person_i,
        day_i,
        month_i,
        created_s,
        c,
        gap,
        is_mql,
        is_deleted and kind = 'kept' as is_deleted,
        lost_history and not (skips_mql or skips_sal or regresses or is_recycled)
            as lost_history,
        lead_steps || deal_steps as steps,
        len(lead_steps) as lead_count,
        (getvariable('as_of_s') - created_s) // gap as k0,
        outcome,
    from walked
),

seen as (
    select
        *,
        least(
            len(steps),
            greatest(
                0, k0 - 1 + (created_s + step_after(i, k0, gap) <= getvariable('as_of_s'))::bigint
            )
        ) as visible,
    from timed
),

-- A colleague's lead, of the same day and campaign, that becomes the same opportunity.
shared as (
    select
        *,
        unnest(range(
            if(
                kind = 'kept'
                and len(steps) > lead_count
                and draw('shared', i, 10000) < rate_of('shared_deals'),
                2,
                1
            )
        )) as part,
    from seen
)

select
    related(i, part) as i,
    kind,
    if(part = 0, person_i, related(i, 1)) as person_i,
    day_i,
    month_i,
    created_s + part * 1800 as created_s,
    c,
    -- Its own steps are done before the opportunity is opened, at three gaps or later.
    if(part = 0, gap, gap * 5 // 8) as gap,
    if(part = 0, steps, [2, 3, 4]) as steps,
    if(part = 0, lead_count, 3) as lead_count,
    if(
        part = 0,
        visible,
        len(list_filter(
            [1, 2, 3],
            lambda k: created_s + 1800 + step_after(related(i, 1), k, gap * 5 // 8)
                <= getvariable('as_of_s')
        ))
    ) as visible,
    part = 0 and visible > lead_count as has_deal,
    is_deleted,
    -- A lead's history may only be missing where its status alone tells the same story.
    lost_history
    and kind = 'kept'
    and part = 0
    and visible <= lead_count
    and (visible = 0 or steps[visible] <= 4) as lost_history,
    if(is_mql, 50, 3) + draw('score', related(i, part), 46) as score,
    5000 + 500 * draw('amount', i, 77) as amount,
    if(
        kind <> 'direct' and part = 0 and draw('copy', i, 10000) < rate_of('duplicates'), 2, 1
    ) as copies,
    -- Of the second lead: the opportunity that it shares.
    if(part = 1, {
        'i': i,
        'created_s': created_s,
        'gap': gap,
        'steps': steps,
        'lead_count': lead_count,
        'visible': visible
    }, null) as shares,
from shared;

create macro is_unknown_at_first(i) as draw('unknown', i, 10000) < rate_of('amounts_unknown');

-- An amount that nobody knew at first does not change any more.
create macro amount_minor(i, k, amount) as
    amount
    * if(
        draw('change', (i) * 64 + (k), 4) = 0 and not is_unknown_at_first(i),
        75 + draw('by', (i) * 64 + (k), 60),
        100
    );
