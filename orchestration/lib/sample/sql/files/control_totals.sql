select
    spend.source,
    spend.account,
    month.month,
    spend.currency,
    money(sum(spend.cost_minor)::bigint, spend.currency) as cost,
from spend
inner join month on spend.month_i = month.month_i
where spend.is_current
group by spend.source, spend.account, month.month, spend.currency
order by spend.source, spend.account, month.month, spend.currency
