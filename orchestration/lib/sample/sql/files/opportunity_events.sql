with
stepped as (
    select
        *,
        unnest(range(
            lead_count + 1,
            least(
                len(steps),
                visible
                + if(draw('future', i, 10000) < rate_of('future_events'), 1, 0)
            ) + 1
        )) as k,
    from lead
    where has_deal
),

timed as (
    select
        *,
        steps[k] as step,
        created_s + step_after(i, lead_count + 1, gap) as opened_s,
        created_s + step_after(i, k, gap) as at_s,
    from stepped
)

select
    opportunity_name(i) as opportunity_id,
    at_second(at_s) as occurred_at,
    getvariable('raw_stages')[step - 4] as stage,
    money(amount_minor(i, k, amount)) as amount,
    if(
        step in (8, 14),
        at_second(at_s)::date,
        at_second(opened_s)::date + 45 + draw('close', i * 64 + k, 40)::integer
    ) as close_date,
from timed
