-- What was won is invoiced in two halves, the second thirty days later.
with
won as (
    select
        *,
        created_s + step_after(i, visible, gap) as won_s,
    from lead
    where has_deal and not is_deleted and steps[visible] = 8
),

invoiced as (
    select
        *,
        unnest(range(2)) as half,
    from won
)

select
    opportunity_name(i) || '-' || (half + 1)::varchar as revenue_id,
    'subscription' as item,
    company_of(person_i) as account,
    opportunity_name(i) as opportunity_id,
    at_second(won_s + half * 30 * 86400) as occurred_at,
    money(
        if(
            half = 0,
            amount_minor(i, visible, amount) // 2,
            amount_minor(i, visible, amount)
            - amount_minor(i, visible, amount) // 2
        )
    ) as amount,
    currency_of(c) as currency,
from invoiced
where won_s + half * 30 * 86400 <= getvariable('as_of_s')
