-- Every law; what is broken or waived first.
select
    law,
    title,
    severity,
    status,
    offending_count,
    waived,
    owner
from meta.law_result
order by
    case status
        when 'error' then 1
        when 'broken' then 2
        when 'waived' then 3
        when 'held' then 4
        else 5
    end,
    left(law, 1),
    cast(substr(law, 2) as integer)
