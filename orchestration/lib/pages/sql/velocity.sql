-- The scope in its last week that is over, or in its first one.
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
    window_days,
    owner,
    alarmed_at,
    is_complete
from rpt_velocity__segment_week
where scope = $scope
order by is_complete desc, week_start_date desc
limit 1
