with
stepped as (
    select
        o,
        c,
        unnest(told) as event,
    from deal
)

select
    opportunity_name(o) as opportunity_id,
    at_second(event.at_s) as occurred_at,
    getvariable('raw_stages')[event.step - 4] as stage,
    money(event.minor, currency_of(c)) as amount,
    null as currency,
    event.owner as owner,
    event.close_date as close_date,
from stepped
