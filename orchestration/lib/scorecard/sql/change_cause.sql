-- What changed since the publication before, in periods already reported, by cause.
select
    cause,
    measure,
    count(*) as figures,
    cast(sum(abs(difference)) as bigint) as moved
from meta.change
group by cause, measure
order by cause, measure
