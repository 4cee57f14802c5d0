with
parted as (
    select
        *,
        unnest(range(parts)) as part,
    from spend
),

divided as (
    select
        *,
        if(part = 0 and parts = 2, cost_minor // 3, cost_minor - if(parts = 2, cost_minor // 3, 0))
            as part_minor,
    from parted
)

select
    source,
    account,
    campaign,
    day,
    currency,
    money(part_minor) as cost,
    if(kind = 'media', greatest(part_minor // 450, 0) * 37 + 60, null) as impressions,
    if(kind = 'media', greatest(part_minor // 450, 0), null) as clicks,
    kind,
    at_second(loaded_s) as loaded_at,
from divided
order by loaded_s, source, account, day, campaign nulls first, kind, reading, part
