-- The definitions of an MQL that this publication knows.
select
    version,
    min_score,
    valid_from,
    valid_to,
    sha256
from audit.definition
order by valid_from nulls first, version
