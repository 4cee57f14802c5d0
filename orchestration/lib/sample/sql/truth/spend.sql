-- Spend as it stands at as_of, by campaign, kind and month. reporting_cost is exact (each day's
-- cost at that day's rate, unrounded).
select
    spend.source,
    spend.account,
    spend.campaign,
    coalesce(spend.source, '(unknown)') || ' / ' || overhead_campaign(spend.kind, spend.campaign)
        as campaign_key,
    spend.kind,
    month.month,
    spend.currency,
    sum(spend.cost_minor)::bigint as cost_minor,
    sum(at_home(spend.cost_minor, spend.currency, fx.rate))::decimal(38, 6) as reporting_minor_exact,
    count(*) as keys,
from spend
inner join month on spend.month_i = month.month_i
left join fx on spend.day = fx.day and spend.currency = fx.currency
where spend.is_current
group by all
order by all
