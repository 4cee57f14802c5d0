/*
id: B4
title: The pipeline's opening and its movements are its closing
meaning: >
  For every day, week, month and quarter, what was open, and what was created, changed, won and
  lost since, is what is open at the end, to the cent and to the deal, and the next period opens
  with it. Owners, segments and campaigns each add up to the company, every figure is the sum of
  entries in the pipeline journal, and what is open now is what the opportunities are worth.
severity: block
unit: minor
forgivable: false
waivable: false
owner: Analytics engineering, who own the models
what_to_do: >
  This is a fault in the models, not in anybody's data: a CRM may change a deal as it likes, and
  each change is an entry. Readers keep the last good version. Send the rows and the log of the
  run to the owner; do not correct figures by hand.
*/

-- query: applies
with

opportunities_kept as (

    select coalesce(sum(kept_rows), 0) as kept_rows
    from audit.row
    where table_name = 'opportunities'

),

final as (

    select 'no opportunity source' as reason
    from opportunities_kept
    where kept_rows = 0

)

select * from final;

-- query: measure
with

open_now as (

    select
        cast(coalesce(sum(reporting_amount_minor), 0) as bigint) as amount_minor,
        count(*) as opportunities
    from main.fct_opportunity
    where is_open

),

journal as (

    select
        cast(coalesce(sum(reporting_amount_minor), 0) as bigint) as amount_minor,
        count(*) as entries
    from main.fct_pipeline_journal__entry

),

waterfall as (

    select count(*) as periods
    from main.rpt_pipeline_waterfall__period

),

final as (

    select
        open_now.amount_minor as expected,
        journal.amount_minor as actual,
        journal.amount_minor - open_now.amount_minor as difference,
        journal.entries + waterfall.periods as checked
    from open_now
    cross join journal
    cross join waterfall

)

select * from final;

-- query: offenders
with

today as (

    select
        as_of,
        as_of_date
    from audit.run

),

periods as (

    select
        *,
        period_end_date <= today.as_of_date as is_over,
        lag(period_end_date) over scope_periods as previous_end_date,
        lag(closing_minor) over scope_periods as previous_closing_minor,
        lag(closing_deals) over scope_periods as previous_closing_deals,
        lag(closing_deals_without_amount) over scope_periods as previous_closing_without_amount,
        lead(period_start_date) over scope_periods is null as is_last
    from main.rpt_pipeline_waterfall__period
    cross join today
    window scope_periods as (
        partition by period_kind, scope_kind, scope
        order by period_start_date
    )

),

does_not_add_up as (

    select
        'opening and movements are not the closing' as problem,
        *,
        opening_minor + created_minor + increased_minor + decreased_minor + reassigned_minor
        + revalued_minor + won_minor + lost_minor + reopened_minor as expected_minor,
        closing_minor as actual_minor,
        opening_deals + created_deals + reassigned_deals + won_deals + lost_deals + reopened_deals
            as expected_deals,
        closing_deals as actual_deals
    from periods
    where
        expected_minor is distinct from actual_minor
        or expected_deals is distinct from actual_deals

),

-- Where a period is absent, nothing stood at its end.
does_not_follow as (

    select
        'the opening is not the closing of the period before' as problem,
        *,
        case when previous_end_date = period_start_date then previous_closing_minor else 0 end
            as expected_minor,
        opening_minor as actual_minor,
        case when previous_end_date = period_start_date then previous_closing_deals else 0 end
            as expected_deals,
        opening_deals as actual_deals
    from periods
    where
        expected_minor is distinct from actual_minor
        or expected_deals is distinct from actual_deals
        or opening_deals_without_amount is distinct from case
            when previous_end_date = period_start_date then previous_closing_without_amount
            else 0
        end
        or (
            previous_end_date <> period_start_date
            and (
                previous_end_date > period_start_date
                or previous_closing_minor <> 0
                or previous_closing_deals <> 0
                or previous_closing_without_amount <> 0
            )
        )

),

stops_too_soon as (

    select
        'periods are missing: something stood when the last one ended' as problem,
        *,
        closing_minor as expected_minor,
        cast(null as bigint) as actual_minor,
        closing_deals as expected_deals,
        cast(null as bigint) as actual_deals
    from periods
    where
        is_last
        and is_over
        and (closing_minor <> 0 or closing_deals <> 0 or closing_deals_without_amount <> 0)

),

wrong_periods as (

    select
        problem, period_kind, period_start_date, scope_kind, scope,
        expected_minor, actual_minor, expected_deals, actual_deals
    from does_not_add_up

    union all

    select
        problem, period_kind, period_start_date, scope_kind, scope,
        expected_minor, actual_minor, expected_deals, actual_deals
    from does_not_follow

    union all

    select
        problem, period_kind, period_start_date, scope_kind, scope,
        expected_minor, actual_minor, expected_deals, actual_deals
    from stops_too_soon

),

-- The same figures by another way: the journal added up by scope and day is what the days report,
-- and the days in it are what each longer period reports. What came before the calendar is in the
-- first day there is.
first_day as (

    select min(period_start_date) as first_date
    from main.rpt_pipeline_waterfall__period
    where period_kind = 'day'

),

worth as (

    select
        greatest(posted_date, first_date) as posted_date,
        kind,
        owner,
        from_owner,
        segment,
        campaign_key,
        case
            when kind in ('advanced', 'regressed', 'pulled_in', 'pushed_out', 'reassigned')
                then moved_minor
            else reporting_amount_minor
        end as amount_minor,
        case
            when kind in ('advanced', 'regressed', 'pulled_in', 'pushed_out', 'reassigned') then 1
            else deals
        end as deals,
        case when kind = 'reassigned' then (moved_minor is null)::int else deals_without_amount end
            as deals_without_amount
    from main.fct_pipeline_journal__entry
    cross join first_day

),

scoped as (

    select 'company' as scope_kind, 'company' as scope, posted_date, kind,
        amount_minor, deals, deals_without_amount
    from worth
    where kind <> 'reassigned'

    union all

    select 'segment' as scope_kind, coalesce(segment, '(no segment)') as scope, posted_date, kind,
        amount_minor, deals, deals_without_amount
    from worth
    where kind <> 'reassigned'

    union all

    select 'campaign' as scope_kind, campaign_key as scope, posted_date, kind,
        amount_minor, deals, deals_without_amount
    from worth
    where kind <> 'reassigned'

    union all

    select 'owner' as scope_kind, coalesce(owner, '(no owner)') as scope, posted_date, kind,
        amount_minor, deals, deals_without_amount
    from worth

    union all

    select 'owner' as scope_kind, coalesce(from_owner, '(no owner)') as scope, posted_date, kind,
        -amount_minor, -deals, -deals_without_amount
    from worth
    where kind = 'reassigned'

),

posted as (

    select
        scope_kind,
        scope,
        posted_date as period_start_date,
        [
            coalesce(sum(amount_minor) filter (where kind = 'created'), 0),
            coalesce(sum(amount_minor) filter (where kind = 'increased'), 0),
            coalesce(sum(amount_minor) filter (where kind = 'decreased'), 0),
            coalesce(sum(amount_minor) filter (where kind = 'reassigned'), 0),
            coalesce(sum(amount_minor) filter (where kind = 'revalued'), 0),
            coalesce(sum(amount_minor) filter (where kind = 'won'), 0),
            coalesce(sum(amount_minor) filter (where kind = 'lost'), 0),
            coalesce(sum(amount_minor) filter (where kind = 'reopened'), 0),
            coalesce(sum(amount_minor) filter (where kind = 'advanced'), 0),
            coalesce(sum(amount_minor) filter (where kind = 'regressed'), 0),
            coalesce(sum(amount_minor) filter (where kind = 'pulled_in'), 0),
            coalesce(sum(amount_minor) filter (where kind = 'pushed_out'), 0)
        ]::bigint[] as money,
        [
            coalesce(sum(deals) filter (where kind = 'created'), 0),
            coalesce(sum(deals) filter (where kind = 'reassigned'), 0),
            coalesce(sum(deals) filter (where kind = 'won'), 0),
            coalesce(sum(deals) filter (where kind = 'lost'), 0),
            coalesce(sum(deals) filter (where kind = 'reopened'), 0),
            coalesce(sum(deals) filter (where kind = 'advanced'), 0),
            coalesce(sum(deals) filter (where kind = 'regressed'), 0),
            coalesce(sum(deals) filter (where kind = 'pulled_in'), 0),
            coalesce(sum(deals) filter (where kind = 'pushed_out'), 0),
            coalesce(sum(deals_without_amount), 0),
            coalesce(sum(deals_without_amount) filter (where kind = 'won'), 0)
        ]::bigint[] as deals
    from scoped
    group by scope_kind, scope, posted_date

),

reported as (

    select
        period_kind,
        scope_kind,
        scope,
        period_start_date,
        period_end_date,
        [
            created_minor, increased_minor, decreased_minor, reassigned_minor, revalued_minor,
            won_minor, lost_minor, reopened_minor, advanced_moved_minor, regressed_moved_minor,
            pulled_in_moved_minor, pushed_out_moved_minor
        ]::bigint[] as money,
        [
            created_deals, reassigned_deals, won_deals, lost_deals, reopened_deals, advanced_deals,
            regressed_deals, pulled_in_deals, pushed_out_deals,
            closing_deals_without_amount - opening_deals_without_amount, won_deals_without_amount
        ]::bigint[] as deals
    from main.rpt_pipeline_waterfall__period

),

reported_days as (

    select * from reported
    where period_kind = 'day'

),

longer_kinds as (

    select unnest(['week', 'month', 'quarter']) as period_kind

),

longer_periods as (

    select * from reported
    where period_kind <> 'day'

),

moving_days as (

    select
        longer_kinds.period_kind,
        reported_days.scope_kind,
        reported_days.scope,
        reported_days.period_start_date as day,
        reported_days.money,
        reported_days.deals
    from reported_days
    cross join longer_kinds
    where list_bool_or([figure <> 0 for figure in reported_days.money || reported_days.deals])

),

dated as (

    select
        moving_days.period_kind,
        moving_days.scope_kind,
        moving_days.scope,
        case when moving_days.day < longer_periods.period_end_date
            then longer_periods.period_start_date end as period_start_date,
        moving_days.money,
        moving_days.deals
    from moving_days
    asof left join longer_periods
        on
            moving_days.period_kind = longer_periods.period_kind
            and moving_days.scope_kind = longer_periods.scope_kind
            and moving_days.scope = longer_periods.scope
            and moving_days.day >= longer_periods.period_start_date

),

summed as (

    select
        'day' as period_kind,
        *
    from posted

    union all by name

    select
        period_kind,
        scope_kind,
        scope,
        period_start_date,
        [
            sum(money[1]), sum(money[2]), sum(money[3]), sum(money[4]), sum(money[5]),
            sum(money[6]), sum(money[7]), sum(money[8]), sum(money[9]), sum(money[10]),
            sum(money[11]), sum(money[12])
        ]::bigint[] as money,
        [
            sum(deals[1]), sum(deals[2]), sum(deals[3]), sum(deals[4]), sum(deals[5]),
            sum(deals[6]), sum(deals[7]), sum(deals[8]), sum(deals[9]), sum(deals[10]),
            sum(deals[11])
        ]::bigint[] as deals
    from dated
    group by period_kind, scope_kind, scope, period_start_date

),

not_from_entries as (

    select
        case
            when reported.period_kind is null then 'movements are in no period'
            else 'the movements are not what the entries add up to'
        end as problem,
        coalesce(summed.period_kind, reported.period_kind) as period_kind,
        coalesce(summed.period_start_date, reported.period_start_date) as period_start_date,
        coalesce(summed.scope_kind, reported.scope_kind) as scope_kind,
        coalesce(summed.scope, reported.scope) as scope,
        list_sum(summed.money[1:8]) as expected_minor,
        list_sum(reported.money[1:8]) as actual_minor,
        list_sum(summed.deals[1:5]) as expected_deals,
        list_sum(reported.deals[1:5]) as actual_deals
    from summed
    full join reported
        on
            summed.period_kind = reported.period_kind
            and summed.scope_kind = reported.scope_kind
            and summed.scope = reported.scope
            and summed.period_start_date = reported.period_start_date
    where
        coalesce(summed.money, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) is distinct from reported.money
        or coalesce(summed.deals, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) is distinct from reported.deals

),

parts as (

    select
        period_kind,
        period_start_date,
        scope_kind,
        cast(sum(closing_minor) as bigint) as closing_minor,
        cast(sum(closing_deals) as bigint) as closing_deals,
        cast(sum(closing_deals_without_amount) as bigint) as closing_deals_without_amount
    from main.rpt_pipeline_waterfall__period
    where scope_kind <> 'company'
    group by all

),

companies as (

    select
        period_kind,
        period_start_date,
        unnest(['owner', 'segment', 'campaign']) as scope_kind,
        closing_minor,
        closing_deals,
        closing_deals_without_amount
    from main.rpt_pipeline_waterfall__period
    where scope_kind = 'company'

),

not_the_company as (

    select
        'the parts do not add up to the company' as problem,
        coalesce(parts.period_kind, companies.period_kind) as period_kind,
        coalesce(parts.period_start_date, companies.period_start_date) as period_start_date,
        coalesce(parts.scope_kind, companies.scope_kind) as scope_kind,
        cast(null as varchar) as scope,
        companies.closing_minor as expected_minor,
        parts.closing_minor as actual_minor,
        companies.closing_deals as expected_deals,
        parts.closing_deals as actual_deals
    from companies
    full join parts
        on
            companies.period_kind = parts.period_kind
            and companies.period_start_date = parts.period_start_date
            and companies.scope_kind = parts.scope_kind
    where
        coalesce(companies.closing_minor, 0) <> coalesce(parts.closing_minor, 0)
        or coalesce(companies.closing_deals, 0) <> coalesce(parts.closing_deals, 0)
        or coalesce(companies.closing_deals_without_amount, 0)
        <> coalesce(parts.closing_deals_without_amount, 0)

),

period_kinds as (

    select unnest(['day', 'week', 'month', 'quarter']) as period_kind

),

-- What is open now, as the opportunities have it.
open_now as (

    select
        unnest(['company', 'owner', 'segment', 'campaign']) as scope_kind,
        unnest([
            'company', coalesce(owner, '(no owner)'), coalesce(product, '(no segment)'),
            campaign_key
        ]) as scope,
        reporting_amount_minor
    from main.fct_opportunity
    where is_open

),

standing_now as (

    select
        scope_kind,
        scope,
        cast(coalesce(sum(reporting_amount_minor), 0) as bigint) as amount_minor,
        count(*) as deals,
        count(*) - count(reporting_amount_minor) as deals_without_amount
    from open_now
    group by all

),

closings as (

    select
        period_kind,
        period_start_date,
        scope_kind,
        scope,
        closing_minor,
        closing_deals,
        closing_deals_without_amount
    from periods
    where is_last and not is_over

),

not_what_is_open as (

    select
        'the last closing is not what the open opportunities are worth' as problem,
        coalesce(closings.period_kind, expected.period_kind) as period_kind,
        closings.period_start_date,
        coalesce(closings.scope_kind, expected.scope_kind) as scope_kind,
        coalesce(closings.scope, expected.scope) as scope,
        coalesce(expected.amount_minor, 0) as expected_minor,
        closings.closing_minor as actual_minor,
        coalesce(expected.deals, 0) as expected_deals,
        closings.closing_deals as actual_deals
    from (select * from standing_now cross join period_kinds) as expected
    full join closings
        on
            expected.period_kind = closings.period_kind
            and expected.scope_kind = closings.scope_kind
            and expected.scope = closings.scope
    where
        (coalesce(closings.closing_minor, 0), coalesce(closings.closing_deals, 0))
        <> (coalesce(expected.amount_minor, 0), coalesce(expected.deals, 0))
        or coalesce(closings.closing_deals_without_amount, 0)
        <> coalesce(expected.deals_without_amount, 0)

),

-- Deal by deal, in its own currency too.
by_currency as (

    select
        opportunity_id,
        currency,
        coalesce(sum(amount_minor), 0) as amount_minor
    from main.fct_pipeline_journal__entry
    group by all

),

by_deal as (

    select
        opportunity_id,
        coalesce(sum(reporting_amount_minor), 0) as amount_minor,
        coalesce(sum(-reporting_amount_minor) filter (where kind = 'won'), 0) as won_minor,
        sum(deals) as deals,
        sum(deals_without_amount) as deals_without_amount,
        count(*) filter (where kind = 'created') as created,
        bool_or(kind = 'reopened') as was_reopened,
        min(occurred_at) as first_at,
        min(campaign_key) as first_campaign_key,
        max(campaign_key) as last_campaign_key
    from main.fct_pipeline_journal__entry
    group by opportunity_id

),

compared as (

    select
        coalesce(by_deal.opportunity_id, opportunities.opportunity_id) as opportunity_id,
        coalesce(opportunities.reporting_amount_minor * opportunities.is_open::int, 0)
            as expected_minor,
        by_deal.amount_minor as actual_minor,
        opportunities.is_open::int as expected_deals,
        by_deal.deals as actual_deals,
        (opportunities.is_open and opportunities.reporting_amount_minor is null)::int
            as expected_without_amount,
        by_deal.deals_without_amount as actual_without_amount,
        coalesce(opportunities.reporting_amount_minor * opportunities.is_won::int, 0)
            as expected_won_minor,
        by_deal.won_minor,
        by_deal.was_reopened,
        by_deal.created,
        by_deal.first_at < opportunities.created_at as is_before_creation
    from by_deal
    full join main.fct_opportunity as opportunities
        on by_deal.opportunity_id = opportunities.opportunity_id

),

wrong_currency as (

    select
        coalesce(by_currency.opportunity_id, opportunities.opportunity_id) as opportunity_id
    from by_currency
    full join (select * from main.fct_opportunity where is_open) as opportunities
        on
            by_currency.opportunity_id = opportunities.opportunity_id
            and by_currency.currency is not distinct from opportunities.currency
    where coalesce(by_currency.amount_minor, 0) <> coalesce(opportunities.amount_minor, 0)

),

wrong_deals as (

    select
        'the entries of a deal are not what is open of it' as problem,
        opportunity_id,
        expected_minor,
        actual_minor,
        expected_deals,
        actual_deals
    from compared
    where
        expected_minor is distinct from actual_minor
        or expected_deals is distinct from actual_deals
        or expected_without_amount is distinct from actual_without_amount

    union all

    select
        'a deal was not created once' as problem,
        opportunity_id,
        cast(null as bigint) as expected_minor,
        cast(null as bigint) as actual_minor,
        1 as expected_deals,
        created as actual_deals
    from compared
    where created is distinct from 1

    union all

    select
        'what was won is not what the deal is worth' as problem,
        opportunity_id,
        expected_won_minor as expected_minor,
        won_minor as actual_minor,
        cast(null as bigint) as expected_deals,
        cast(null as bigint) as actual_deals
    from compared
    where not was_reopened and expected_won_minor <> won_minor

    union all

    select
        'a deal was posted before its creation' as problem,
        opportunity_id,
        cast(null as bigint) as expected_minor,
        cast(null as bigint) as actual_minor,
        cast(null as bigint) as expected_deals,
        cast(null as bigint) as actual_deals
    from compared
    where is_before_creation

    union all

    select distinct
        'in its own currency, the entries of a deal are not what is open of it' as problem,
        opportunity_id,
        cast(null as bigint) as expected_minor,
        cast(null as bigint) as actual_minor,
        cast(null as bigint) as expected_deals,
        cast(null as bigint) as actual_deals
    from wrong_currency

),

-- Changing the zone of every entry is slow; each quarter of an hour does once. Before 1973 some
-- zones were minutes and seconds off.
quarter_hours as (

    select
        posted_date,
        time_bucket(interval 15 minute, occurred_at) as quarter_at,
        min(entry_id) as entry_id
    from main.fct_pipeline_journal__entry
    where occurred_at >= '1973-01-01'
    group by all

),

wrong_entries as (

    select
        'an entry of no kind, without a time or with an amount that its kind has not' as problem,
        entry_id
    from main.fct_pipeline_journal__entry
    where
        occurred_at is null
        or posted_date is null
        or campaign_key is null
        or deals is null
        or deals_without_amount is null
        or case
            when kind in ('created', 'reopened') then deals <> 1
            when kind in ('won', 'lost') then deals not in (0, -1)
            when kind in ('increased', 'decreased')
                then deals <> 0 or amount_minor is null
                or (amount_minor < 0) > (kind = 'decreased')
                or (amount_minor > 0) > (kind = 'increased')
            when kind = 'revalued'
                then deals <> 0 or amount_minor is distinct from 0 or reporting_amount_minor is null
            when kind in ('advanced', 'regressed', 'pulled_in', 'pushed_out', 'reassigned')
                then deals <> 0 or deals_without_amount <> 0 or amount_minor is distinct from 0
                or reporting_amount_minor is distinct from 0
            else true
        end

    union all

    select
        'an entry is dated in the future' as problem,
        entries.entry_id
    from main.fct_pipeline_journal__entry as entries
    cross join today
    where entries.occurred_at > today.as_of

    union all

    select
        'an entry is posted on another day than it happened' as problem,
        quarter_hours.entry_id
    from quarter_hours
    cross join audit.run
    where
        quarter_hours.posted_date
        <> cast(timezone(run.time_zone, timezone('UTC', quarter_hours.quarter_at)) as date)

    union all

    select
        'an entry stands twice' as problem,
        entry_id
    from main.fct_pipeline_journal__entry
    group by entry_id
    having count(*) > 1

),

problems as (

    select
        *,
        cast(null as varchar) as opportunity_id,
        cast(null as varchar) as entry_id
    from wrong_periods

    union all by name

    select * from not_from_entries

    union all by name

    select * from not_the_company

    union all by name

    select * from not_what_is_open

    union all by name

    select * from wrong_deals

    union all by name

    select * from wrong_entries

),

final as (

    select
        cast(null as varchar) as feed,
        problem,
        period_kind,
        period_start_date,
        scope_kind,
        scope,
        opportunity_id,
        entry_id,
        cast(expected_minor as bigint) as expected_minor,
        cast(actual_minor as bigint) as actual_minor,
        cast(actual_minor - expected_minor as bigint) as difference_minor,
        cast(expected_deals as bigint) as expected_deals,
        cast(actual_deals as bigint) as actual_deals
    from problems
    order by
        problem, period_kind, period_start_date, scope_kind, scope, opportunity_id, entry_id

)

select * from final;
