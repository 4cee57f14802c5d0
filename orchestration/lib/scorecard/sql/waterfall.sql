-- The company's pipeline in the period and in its months: opening and movements are the closing.
select
    period_kind,
    period_start_date,
    period_end_date - 1 as period_last_date,
    opening_minor,
    created_minor,
    increased_minor,
    decreased_minor,
    revalued_minor,
    reopened_minor,
    won_minor,
    lost_minor,
    closing_minor,
    opening_deals,
    created_deals,
    won_deals,
    lost_deals,
    closing_deals,
    closing_deals_without_amount,
    is_provisional,
    period_kind = $period_kind and period_start_date = $period_start as is_whole
from rpt_pipeline_waterfall__period
where
    scope_kind = 'company'
    and period_start_date >= $period_start
    and period_end_date <= $period_end
    and (period_kind = 'month' or (
        period_kind = $period_kind
        and period_start_date = $period_start
        and period_end_date = $period_end
    ))
order by (period_kind = $period_kind), period_start_date
