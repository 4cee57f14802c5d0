-- What became of the leads that were handed over, by reason, month by month, for either side.
-- Grain: side, owner, month_start_date, outcome, reason. Leads and dollars add up within a side to
-- rpt_handoff__owner_month.

with

leads as (

    select * from {{ ref("rpt_handoff__lead") }}
    where is_handed_over

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

dated as (

    select
        leads.*,
        {{ period_start("month", "leads.handed_over_date") }} as month_start_date
    from leads
    left join calendar_days on leads.handed_over_date = calendar_days.day

),

sided as (

    select
        *,
        'both' as side,
        '(all)' as side_owner
    from dated

    union all

    select
        *,
        'marketing' as side,
        coalesce(marketing_owner, handed_over_by, '(nobody)') as side_owner
    from dated

    union all

    select
        *,
        'sales' as side,
        coalesce(sales_owner, decided_by, '(nobody)') as side_owner
    from dated

),

final as (

    select
        -- ids
        side,
        side_owner as owner,
        outcome,
        coalesce(reason, '(no reason)') as reason,
        -- numbers
        count(*) as leads,
        {{ exact_sum("amount_minor") }} as amount_minor,
        -- times
        month_start_date
    from sided
    group by side, side_owner, outcome, coalesce(reason, '(no reason)'), month_start_date

)

select * from final
