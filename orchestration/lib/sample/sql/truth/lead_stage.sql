-- Every stage a kept lead stood in by as_of, in order; its opportunity's stages included.
with
stepped as (
    select
        *,
        unnest(range(told + 1)) as k,
    from lead_truth
    where kind = 'kept'
),

entered as (
    select
        i,
        if(k = 0, 1, steps[k]) as step,
        created_s + if(k = 0, 0, step_after(i, k, gap)) as at_s,
    from stepped
    where
        k = 0
        or (
            steps[k] <> 9
            and (k = 1 or steps[k] <> steps[k - 1])
            and (not lost_history or k = told)
        )
),

-- A lead that shares another's opportunity goes on with that.
shared as (
    select
        *,
        unnest(range(shares.lead_count + 1, shares.visible + 1)) as k,
    from lead_truth
    where kind = 'kept' and is_joined
),

every as (
    select * from entered
    union all
    select
        i,
        shares.steps[k] as step,
        shares.created_s + step_after(shares.i, k, shares.gap) as at_s,
    from shared
    where shares.steps[k] <> shares.steps[k - 1] or k = shares.lead_count + 1
)

select
    lead_name(i) as lead_id,
    row_number() over (partition by i order by at_s) as entry_number,
    getvariable('stage_names')[step] as stage,
    at_second(at_s) as entered_at,
from every
order by lead_id, entry_number
