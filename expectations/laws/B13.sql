/*
id: B13
title: Nothing is unmapped
meaning: >
  Every status, campaign and currency that occurs in the data is known: the statuses have a stage,
  the campaigns that leads name are campaigns that spend or the list of campaigns has, the
  currencies are currencies, spend and invoices are of a known level and kind, and no spelling of
  a campaign has two meanings at once. What is unknown is left out of the funnel or of the money,
  so the reports would be too small without anyone noticing.
severity: block
unit: rows
forgivable: true
waivable: true
owner: Revenue operations, who own the mappings
what_to_do: >
  For a status, name its stage under `stages:` of the feed in sources.yml. For a campaign, correct
  its spelling at the source, say in campaign_names what it means, or add it to the campaigns
  table. For a meaning, let one row of campaign_names end before the other begins. For a currency,
  correct its code (a missing exchange rate is law B9's). For a level or kind, write one of those
  that docs/contract.md names. What is harmless can be accepted by number of rows, with a reason,
  under `tolerances: laws: B13:` of the feed.
*/

-- query: applies
with

rows_kept as (

    select coalesce(sum(kept_rows), 0) as kept_rows
    from audit.row
    where table_name in ('spend', 'leads', 'lead_events', 'opportunities', 'opportunity_events')

),

final as (

    select 'no spend, lead or opportunity source' as reason
    from rows_kept
    where kept_rows = 0

)

select * from final;

-- query: measure
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        (select count(*) from main.fct_spend__campaign_daily)
        + (select count(*) from main.fct_lead)
        + (select count(*) from main.fct_opportunity) as checked

)

select * from final;

-- query: offenders
with

named as (

    select
        feed,
        case
            when kind = 'meaning' then 'two meanings of one spelling at the same time'
            else 'no mapping for this ' || kind
        end as problem,
        entity,
        kind,
        value,
        rows,
        first_seen_at
    from audit.unmapped

),

-- What the published tables themselves show, should the list above be short of it.
without_amount as (

    select
        feed,
        'spend is in a currency that is none' as problem,
        'spend' as entity,
        'currency' as kind,
        currency as value,
        count(*) as rows,
        min(cast(spend_date as timestamp)) as first_seen_at
    from main.fct_spend__campaign_daily
    where cost_minor is null
    group by feed, currency

),

not_named as (

    select without_amount.*
    from without_amount
    anti join named
        on
            without_amount.feed = named.feed
            and named.kind = 'currency'
            and starts_with(named.value, without_amount.value)

),

final as (

    select * from named

    union all

    select * from not_named

)

select * from final;
