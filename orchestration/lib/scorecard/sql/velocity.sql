-- Revenue a day that the company's pipeline makes, in the last thirteen weeks, and what moved it. What
-- rests on fewer than five deals that have had their window tells nothing, in either direction.
with weeks as (
    select
        *,
        greatest(
            abs(open_opportunities_part_minor),
            abs(win_rate_part_minor),
            abs(acv_part_minor),
            abs(cycle_days_part_minor)
        ) as largest_part_minor,
        is_complete
        and week_start_date
        = max(week_start_date) filter (where is_complete) over () as is_latest
    from rpt_velocity__segment_week
    where scope = 'company'
    order by week_start_date desc
    limit 13
)

select
    week_start_date,
    case
        when is_alarm then 'alarm'
        when not is_complete then 'running'
        when velocity_minor is null or planned_velocity_minor is null or matured < 5
            then 'cannot tell yet'
        else 'no alarm'
    end as verdict,
    velocity_minor,
    planned_velocity_minor,
    cast(
        round(100.0 * velocity_minor / nullif(planned_velocity_minor, 0), 1) as decimal(18, 1)
    ) as of_plan_pct,
    change_minor,
    case
        when change_minor = 0 then null
        when abs(open_opportunities_part_minor) = largest_part_minor then 'open deals'
        when abs(win_rate_part_minor) = largest_part_minor then 'win rate'
        when abs(acv_part_minor) = largest_part_minor then 'average deal'
        when abs(cycle_days_part_minor) = largest_part_minor then 'days open'
    end as moved_by,
    case
        when change_minor = 0 then null
        when abs(open_opportunities_part_minor) = largest_part_minor
            then open_opportunities_part_minor
        when abs(win_rate_part_minor) = largest_part_minor then win_rate_part_minor
        when abs(acv_part_minor) = largest_part_minor then acv_part_minor
        when abs(cycle_days_part_minor) = largest_part_minor then cycle_days_part_minor
    end as moved_by_minor,
    matured,
    window_days,
    owner,
    alarmed_at,
    is_complete,
    is_latest
from weeks
order by week_start_date
