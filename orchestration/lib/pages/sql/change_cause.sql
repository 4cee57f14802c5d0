-- What changed against the publication before, by cause.
select
    cause,
    measure,
    was_provisional,
    count(*) as changes,
    cast(sum(difference) as bigint) as difference
from meta.change
group by all
order by cause, measure, was_provisional
