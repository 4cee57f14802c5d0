-- The middle of the flow: how many dollars got at least this far, ever.
with reached as (
    select
        unnest(['lead', 'mql', 'sal', 'sql', 'opportunity', 'won']) as stage,
        unnest([1, 2, 3, 4, 5, 6]) as place
),

flow as (
    select
        amount_minor,
        leads,
        list_position(['lead', 'mql', 'sal', 'sql', 'opportunity', 'won'], furthest) as place
    from ($flow) as flow
)

select
    reached.stage,
    cast(coalesce(sum(flow.amount_minor) filter (where flow.place >= reached.place), 0) as bigint)
        as amount_minor,
    cast(coalesce(sum(flow.leads) filter (where flow.place >= reached.place), 0) as bigint)
        as leads
from reached
cross join flow
group by reached.stage, reached.place
order by reached.place
