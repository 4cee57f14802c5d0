-- Laws by their number or by words of their title.
select
    law,
    title,
    status
from meta.law_result
where lower(law) = lower($words) or contains(lower(title), lower($words))
order by law
limit 20
