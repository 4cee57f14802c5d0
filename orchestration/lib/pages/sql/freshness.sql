-- The deliveries that this publication was made of, the late ones first.
select
    feed,
    table_name,
    source,
    case when is_late then 'late' else 'fresh' end as standing,
    newest_at,
    age_hours,
    cadence_hours,
    missing_days
from meta.freshness
order by is_late desc, feed, table_name, source
