-- Campaign and month of creation (reporting zone): true spend and how many leads reached what.
with
spent as (
    select
        coalesce(spend.source, '(unknown)') || ' / '
        || overhead_campaign(spend.kind, spend.campaign) as campaign_key,
        month.month,
        any_value(spend.currency) as currency,
        sum(spend.cost_minor)::bigint as cost_minor,
        sum(at_home(spend.cost_minor, spend.currency, fx.rate))::decimal(38, 6) as reporting_minor_exact,
    from spend
    inner join month on spend.month_i = month.month_i
    left join fx on spend.day = fx.day and spend.currency = fx.currency
    where spend.is_current
    group by all
),

counted as (
    select
        campaign_key,
        month,
        sum(copies)::bigint as raw_rows,
        count(*) filter (kind = 'kept') as kept,
        (count(*) filter (kind = 'merged'))::bigint as merged,
        count(*) filter (kind in ('test', 'staff', 'bot', 'competitor')) as excluded,
        count(*) filter (kind = 'kept' and reached >= 2) as mqls,
        count(*) filter (kind = 'kept' and reached >= 3) as accepted,
        count(*) filter (kind = 'kept' and reached >= 4) as sqls,
        count(*) filter (kind = 'kept' and reached >= 5) as opportunities,
        count(*) filter (kind = 'kept' and reached >= 8) as won,
    from lead_truth
    group by all
)

select
    coalesce(spent.campaign_key, counted.campaign_key) as campaign_key,
    coalesce(spent.month, counted.month) as month,
    spent.currency,
    coalesce(spent.cost_minor, 0) as cost_minor,
    coalesce(spent.reporting_minor_exact, 0) as reporting_minor_exact,
    coalesce(counted.raw_rows, 0) as raw_rows,
    coalesce(counted.kept, 0) as kept,
    coalesce(counted.merged, 0) as merged,
    coalesce(counted.excluded, 0) as excluded,
    coalesce(counted.mqls, 0) as mqls,
    coalesce(counted.accepted, 0) as accepted,
    coalesce(counted.sqls, 0) as sqls,
    coalesce(counted.opportunities, 0) as opportunities,
    coalesce(counted.won, 0) as won,
from spent
full join counted on spent.campaign_key = counted.campaign_key and spent.month = counted.month
order by campaign_key, month
