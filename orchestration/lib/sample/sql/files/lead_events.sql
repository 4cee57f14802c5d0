with
stepped as (
    select
        *,
        unnest(range(
            least(
                lead_count,
                visible
                + if(draw('future', i, 10000) < rate_of('future_events'), 1, 0)
            ) + 1
        )) as k,
    from lead
    where kind <> 'direct' and not lost_history
),

timed as (
    select
        *,
        if(k = 0, 1, steps[k]) as step,
        created_s
        + case
            when k = 0 then 0
            when k = 1 and draw('too early', i, 10000) < rate_of('events_before_creation')
                then -7200
            else step_after(i, k, gap)
        end as at_s,
    from stepped
)

select
    lead_name(i) as lead_id,
    at_second(at_s) as occurred_at,
    if(
        k > 0 and draw('unmapped', i * 64 + k, 10000) < rate_of('unmapped_statuses'),
        'Nurture Hold',
        raw_lead_status(step, at_s)
    ) as status,
    if(step in (1, 2, 9), 'Marketing automation', pick(getvariable('owners'), 'owner', i)) as actor,
    case step
        when 10 then pick(getvariable('rejections'), 'rejection', i)
        when 13 then pick(getvariable('disqualifications'), 'disqualification', i)
        when 12 then 'not worked within the SLA'
    end as reason,
from timed
