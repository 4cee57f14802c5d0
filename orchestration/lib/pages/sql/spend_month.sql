-- What the campaign spent, month by month; of it, what platforms restated later.
select
    cast(date_trunc('month', spend_date) as date) as month_start_date,
    cast(sum(amount_minor) as bigint) as spend_minor,
    cast(sum(restated_minor) as bigint) as restated_minor,
    cast(sum(impressions) as bigint) as impressions,
    cast(sum(clicks) as bigint) as clicks
from fct_spend__campaign_daily
where campaign_key = $campaign
group by all
order by month_start_date
