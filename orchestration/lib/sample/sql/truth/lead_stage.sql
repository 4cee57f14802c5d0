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
        *,
        if(k = 0, 1, steps[k]) as step,
    from stepped
    where
        k = 0
        or (
            steps[k] <> 9
            and (k = 1 or steps[k] <> steps[k - 1])
            and (not lost_history or k = told)
        )
)

select
    lead_name(i) as lead_id,
    row_number() over (partition by i order by k) as entry_number,
    getvariable('stage_names')[step] as stage,
    at_second(created_s + if(k = 0, 0, step_after(i, k, gap))) as entered_at,
from entered
order by lead_id, entry_number
