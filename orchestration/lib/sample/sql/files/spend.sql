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
),

-- The ads of one campaign: a quarter of its cost belongs to none of them.
ads as (
    select
        *,
        0 as part,
        unnest([
            {'part_minor': cost_minor // 2, 'ad_group': 'Prospecting', 'ad': 'Headline A'},
            {'part_minor': cost_minor // 4, 'ad_group': 'Prospecting', 'ad': 'Headline B'}
        ]) as one,
    from spend
    where c = getvariable('detailed_c') and kind = 'media'
),

detailed as (
    select
        * exclude (one),
        one.part_minor,
        'ad' as level,
        one.ad_group,
        one.ad,
    from ads
)

select
    source,
    account,
    if(
        c = getvariable('renamed_c') and day >= getvariable('renamed_day'),
        getvariable('renamed_to'),
        campaign
    ) as campaign,
    day,
    currency,
    money(part_minor, currency) as cost,
    if(kind = 'media', greatest(part_minor // 450, 0) * 37 + 60, null) as impressions,
    if(kind = 'media', greatest(part_minor // 450, 0), null) as clicks,
    kind,
    level,
    ad_group,
    ad,
    at_second(loaded_s) as loaded_at,
from (
    select
        *,
        null as level,
        null as ad_group,
        null as ad,
    from divided
    union all
    select * from detailed
)
order by loaded_s, source, account, day, campaign nulls first, kind, reading, part, ad nulls first
