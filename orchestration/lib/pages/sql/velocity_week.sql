-- The scope's velocity week by week, the newest first, and what each factor did to it; the four parts
-- are the change.
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
    change_minor,
    open_opportunities_part_minor,
    win_rate_part_minor,
    acv_part_minor,
    cycle_days_part_minor,
    count(*) over () as all_rows
from rpt_velocity__segment_week
where scope = $scope
order by week_start_date desc
limit $page_rows offset $page_skip
