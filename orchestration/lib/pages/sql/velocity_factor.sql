-- The factors of the scope's velocity week by week, the newest first.
select
    week_start_date,
    open_opportunities,
    stale_opportunities,
    open_pipeline_minor,
    win_rate,
    planned_win_rate,
    wins,
    matured,
    acv_minor,
    planned_acv_minor,
    cycle_days,
    count(*) over () as all_rows
from rpt_velocity__segment_week
where scope = $scope
order by week_start_date desc
limit $page_rows offset $page_skip
