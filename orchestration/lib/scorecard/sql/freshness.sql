-- How new each delivery is; late ones first.
select
    feed,
    table_name,
    source,
    newest_at,
    age_hours,
    cadence_hours,
    missing_days,
    is_late,
    case when is_late then 'late' else 'fresh' end as state
from meta.freshness
order by is_late desc, (cadence_hours is null), feed, table_name, source
