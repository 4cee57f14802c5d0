-- Every scope in the last week that is over: revenue a day that its pipeline makes, and what moved it.
with weeks as (
    select
        *,
        greatest(
            abs(open_opportunities_part_minor),
            abs(win_rate_part_minor),
            abs(acv_part_minor),
            abs(cycle_days_part_minor)
        ) as largest_part_minor
    from rpt_velocity__segment_week
    where is_complete
    qualify week_start_date = max(week_start_date) over ()
)

select
    scope,
    week_start_date,
    case
        when is_alarm then 'alarm'
        when velocity_minor is null or planned_velocity_minor is null or matured < 5
            then 'cannot tell yet'
        else 'no alarm'
    end as verdict,
    velocity_minor,
    planned_velocity_minor,
    change_minor,
    case
        when change_minor = 0 then null
        when abs(open_opportunities_part_minor) = largest_part_minor then 'open deals'
        when abs(win_rate_part_minor) = largest_part_minor then 'win rate'
        when abs(acv_part_minor) = largest_part_minor then 'average deal'
        when abs(cycle_days_part_minor) = largest_part_minor then 'days open'
    end as moved_by,
    matured,
    owner,
    count(*) over () as all_rows
from weeks
order by scope <> 'company', velocity_minor desc nulls last, scope
limit $page_rows offset $page_skip
