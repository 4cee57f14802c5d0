-- What was won is invoiced in two halves, the second thirty days later.
with
invoiced as (
    select
        *,
        unnest(range(2)) as half,
    from deal
    where not is_deleted and now.step = 8
)

select
    opportunity_name(o) || '-' || (half + 1)::varchar as revenue_id,
    'subscription' as item,
    company_of(person_i) as account,
    opportunity_name(o) as opportunity_id,
    at_second(stage_s + half * 30 * 86400) as occurred_at,
    money(
        if(half = 0, now.minor // 2, now.minor - now.minor // 2),
        currency_of(c)
    ) as amount,
    currency_of(c) as currency,
from invoiced
where stage_s + half * 30 * 86400 <= getvariable('as_of_s')
