-- The plan's versions that this publication knows.
select
    version,
    title,
    case when is_signed then 'signed' else 'not signed' end as standing,
    signed_by,
    effective_from,
    effective_to,
    reason
from audit.plan_version
order by version desc
