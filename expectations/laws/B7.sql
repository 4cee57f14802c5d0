/*
id: B7
title: Every claim is reconciled to the books
meaning: >
  What Marketing, Sales and Finance each report from their own systems equals the books, plus
  differences that are named: computed from records that the department says it counts, or stated
  and signed by people. Nothing is left unexplained, so that no two departments can go into the
  same meeting with two numbers.
severity: block
unit: rows
forgivable: false
waivable: true
owner: The department whose claim is named in the row, with revenue operations
what_to_do: >
  main.rpt_claims_bridge__period has the claim's lines, main.rpt_claims_bridge__record the records
  behind them. If the department counts something that the books do not, say so in the plan's sheet
  `counting` (an amendment) and the difference is computed; if only people can know why, state it
  with `tieout explain-claim`; else correct the claim or the data. Lines that do not add up, or that
  differ from the published tables, are a fault in the models.
*/

-- query: applies
with

-- What was claimed after as_of is none yet.
claimed as (

    select
        (
            select coalesce(sum(rows), 0)
            from audit.row_reason
            where table_name = 'claims' and disposition = 'kept'
        ) as landed_claims,
        (select count(*) from audit.claim where not is_known) as later_claims,
        (select count(*) from audit.claim where is_known)
        + (select count(*) from main.rpt_claims_bridge__period) as claims

),

final as (

    select 'no claims' as reason
    from claimed
    where claims = 0 and (landed_claims = 0 or later_claims > 0)

)

select * from final;

-- query: measure
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        count(*) as checked
    from audit.claim
    where is_known

)

select * from final;

-- query: offenders
with

claims as (

    select * from audit.claim
    where is_known

),

-- Money in minor units, counts as they are.
lines as (

    select
        *,
        coalesce(cast(value_minor as decimal(38, 9)), value) as quantity
    from main.rpt_claims_bridge__period

),

bridges as (

    select
        department,
        metric,
        period_start_date,
        period_end_date,
        scope,
        count(*) filter (where line = 'claim') as claim_lines,
        count(*) filter (where line = 'unexplained') as unexplained_lines,
        count(*) filter (where line = 'books') as books_lines,
        count(*) filter (where reason is not null and quantity is null) as empty_reasons,
        max(quantity) filter (where line = 'claim') as claim_quantity,
        coalesce(sum(quantity) filter (where reason is not null), 0) as explained_quantity,
        max(quantity) filter (where line = 'unexplained') as unexplained_quantity,
        max(quantity) filter (where line = 'books') as books_quantity,
        max(value) filter (where line = 'claim') as claim,
        coalesce(sum(value) filter (where reason is not null), 0) as explained,
        max(value) filter (where line = 'unexplained') as unexplained,
        max(value) filter (where line = 'books') as books
    from lines
    group by all

),

computed as (

    select
        department,
        metric,
        period_start_date,
        period_end_date,
        scope,
        reason,
        sum(quantity) as quantity
    from lines
    where reason is not null and origin = 'computed'
    group by all

),

recorded as (

    select
        department,
        metric,
        period_start_date,
        period_end_date,
        scope,
        reason,
        sum(coalesce(cast(value_minor as decimal(38, 9)), value)) as quantity
    from main.rpt_claims_bridge__record
    group by all

),

unlike_their_records as (

    select distinct
        department,
        metric,
        period_start_date,
        period_end_date,
        scope
    from computed
    full join recorded
        using (department, metric, period_start_date, period_end_date, scope, reason)
    where coalesce(computed.quantity, 0) <> coalesce(recorded.quantity, 0)

),

-- What the published tables give for everybody. Days begin on a quarter of an hour: to change the
-- zone of every lead would take longer than all else here.
lead_quarters as (

    select
        'leads' as metric,
        time_bucket(interval 15 minute, created_at) as quarter_at,
        count(*) as leads
    from main.fct_lead
    group by all

    union all

    select
        'mqls' as metric,
        time_bucket(interval 15 minute, first_mql_at) as quarter_at,
        count(*) as leads
    from main.fct_lead
    group by all

    union all

    select
        'sals' as metric,
        time_bucket(interval 15 minute, first_sal_at) as quarter_at,
        count(*) as leads
    from main.fct_lead
    group by all

    union all

    select
        'sqls' as metric,
        time_bucket(interval 15 minute, first_sql_at) as quarter_at,
        count(*) as leads
    from main.fct_lead
    group by all

),

days as (

    select
        lead_quarters.metric,
        cast(timezone(run.time_zone, timezone('UTC', lead_quarters.quarter_at)) as date) as day,
        sum(lead_quarters.leads) as quantity
    from lead_quarters
    cross join audit.run
    group by all

    union all

    select
        'budget' as metric,
        spend_date as day,
        sum(amount_minor) as quantity
    from main.fct_spend__campaign_daily
    group by all

),

published as (

    select
        claims.department,
        claims.metric,
        claims.period_start_date,
        claims.period_end_date,
        claims.scope,
        coalesce(sum(days.quantity), 0) as quantity
    from claims
    left join days
        on
            days.metric = case claims.metric
                when 'accepted_leads' then 'sals' when 'spend' then 'budget' else claims.metric
            end
            and days.day >= claims.period_start_date
            and days.day < claims.period_end_date
    where claims.is_as_published
    group by all

),

held as (

    select
        claims.feed,
        coalesce(claims.department, bridges.department) as department,
        coalesce(claims.metric, bridges.metric) as metric,
        coalesce(claims.period_start_date, bridges.period_start_date) as period_start_date,
        coalesce(claims.period_end_date, bridges.period_end_date) as period_end_date,
        coalesce(claims.scope, bridges.scope) as scope,
        case
            when claims.department is null then 'a bridge from no claim'
            when
                coalesce(bridges.claim_lines, 0) <> 1
                or bridges.unexplained_lines <> 1
                or bridges.books_lines <> 1
                then 'the bridge lacks its claim, its remainder or its books, or has one twice'
            when claims.problem is not null then claims.problem
            when
                bridges.claim_quantity
                is distinct from coalesce(cast(claims.value_minor as decimal(38, 9)), claims.value)
                then 'the bridge does not begin with the claim'
            when
                bridges.empty_reasons > 0
                or bridges.claim_quantity - bridges.explained_quantity
                - bridges.unexplained_quantity is distinct from bridges.books_quantity
                then 'the lines do not add up to the books'
            when unlike_their_records.department is not null
                then 'a computed line is not the sum of its records'
            when published.quantity <> bridges.books_quantity
                then 'the books in the bridge are not what the published tables give'
            when bridges.unexplained_quantity <> 0
                then 'the claim differs from the books, and nobody says why'
        end as problem,
        bridges.claim,
        bridges.explained,
        bridges.unexplained,
        bridges.books
    from claims
    full join bridges using (department, metric, period_start_date, period_end_date, scope)
    left join unlike_their_records
        using (department, metric, period_start_date, period_end_date, scope)
    left join published using (department, metric, period_start_date, period_end_date, scope)

),

final as (

    select *
    from held
    where problem is not null
    order by period_start_date, period_end_date, department, metric, scope

)

select * from final;
