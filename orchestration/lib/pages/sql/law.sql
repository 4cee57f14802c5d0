-- What the gate found.
select
    law,
    title,
    severity,
    status,
    reason,
    expected,
    actual,
    difference,
    unit,
    currency,
    checked,
    offending_count,
    tolerated,
    waived,
    owner
from meta.law_result
where law = $law
