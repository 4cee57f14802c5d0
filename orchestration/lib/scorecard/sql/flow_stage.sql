-- The right side of the flow: where the dollars stand, and the leads that hold them.
-- `share_pct` is of all dollars.
select
    flow.stage,
    dim_stage.kind,
    dim_stage.owner,
    cast(sum(flow.amount_minor) as bigint) as amount_minor,
    cast(sum(flow.leads) as bigint) as leads,
    cast(
        round(100.0 * sum(flow.amount_minor) / nullif(sum(sum(flow.amount_minor)) over (), 0), 1)
        as decimal(18, 1)
    ) as share_pct
from ($flow) as flow
inner join dim_stage on flow.stage = dim_stage.stage
group by flow.stage, dim_stage.kind, dim_stage.owner, dim_stage.ordinal
order by
    case dim_stage.kind when 'funnel' then 1 when 'exit' then 2 else 3 end,
    case dim_stage.kind when 'funnel' then -dim_stage.ordinal else dim_stage.ordinal end
