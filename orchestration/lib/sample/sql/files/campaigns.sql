select
    source,
    campaign,
    channel,
    segment,
    first_day as started_on,
    last_day as ended_on,
from camp
where campaign is not null
order by c
