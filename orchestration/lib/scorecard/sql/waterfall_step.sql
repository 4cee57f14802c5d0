-- The period's pipeline as steps: each goes from `start_minor` to `end_minor`.
with steps as (
    select
        unnest(range(1, 10)) as step_number,
        unnest([
            'opening', 'created', 'increased', 'reopened', 'revalued', 'decreased', 'won', 'lost',
            'closing'
        ]) as label,
        unnest([
            opening_minor, created_minor, increased_minor, reopened_minor, revalued_minor,
            decreased_minor, won_minor, lost_minor, closing_minor
        ]) as value_minor
    from rpt_pipeline_waterfall__period
    where
        scope_kind = 'company'
        and period_kind = $period_kind
        and period_start_date = $period_start
        and period_end_date = $period_end
)

select
    step_number,
    label,
    case when label in ('opening', 'closing') then 'total' else 'difference' end as kind,
    value_minor,
    cast(
        case
            when label in ('opening', 'closing') then 0
            else sum(value_minor) over (order by step_number) - value_minor
        end as bigint
    ) as start_minor,
    cast(
        case
            when label = 'closing' then value_minor
            else sum(value_minor) over (order by step_number)
        end as bigint
    ) as end_minor
from steps
where label in ('opening', 'closing') or value_minor <> 0
order by step_number
