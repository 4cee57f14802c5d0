select
    day,
    currency,
    rate,
from fx
order by day, currency
