/*
id: B2
title: Every dollar stands in exactly one stage
meaning: >
  Add up what stands in all stages of a campaign's cohort, waste included, and you get the
  cohort's spend, to the cent: no dollar is lost on its way down the funnel and none is counted
  twice. The balances that reports show are the ones the dollar journal gives.
severity: block
unit: minor
forgivable: false
waivable: false
owner: Analytics engineering, who own the models
what_to_do: >
  This is a fault in the models, not in anybody's data: nothing in a CRM or an ad platform can
  cause it. Readers keep the last good version. Send the rows and the log of the run to the
  owner; do not correct balances by hand.
*/

-- query: applies
with

spend_kept as (

    select coalesce(sum(kept_rows), 0) as kept_rows
    from audit.row
    where table_name = 'spend'

),

final as (

    select 'no spend source' as reason
    from spend_kept
    where kept_rows = 0

)

select * from final;

-- query: measure
with

spend as (

    select
        cast(coalesce(sum(amount_minor), 0) as bigint) as amount_minor,
        count(*) as spend_rows
    from main.fct_spend__campaign_daily

),

balances as (

    select cast(coalesce(sum(amount_minor), 0) as bigint) as amount_minor
    from main.rpt_stage_balance__campaign_cohort
    where stage <> 'funding'

),

final as (

    select
        spend.amount_minor as expected,
        balances.amount_minor as actual,
        balances.amount_minor - spend.amount_minor as difference,
        spend.spend_rows as checked
    from spend
    cross join balances

)

select * from final;

-- query: offenders
-- The journal is added up once, by both sides of its moves; all else works on those few sums.
with

moves as (

    select
        campaign_key,
        cohort_start_date,
        from_stage,
        to_stage,
        sum(amount_minor) as amount_minor
    from main.fct_dollar_journal__entry
    group by campaign_key, cohort_start_date, from_stage, to_stage

),

sides as (

    select
        campaign_key,
        cohort_start_date,
        to_stage as stage,
        amount_minor
    from moves

    union all

    select
        campaign_key,
        cohort_start_date,
        from_stage as stage,
        -amount_minor as amount_minor
    from moves

),

journal as (

    select
        campaign_key,
        cohort_start_date,
        stage,
        cast(sum(amount_minor) as bigint) as journal_minor
    from sides
    where stage is distinct from 'funding'
    group by campaign_key, cohort_start_date, stage

),

-- A published balance that is unknown (null) must not pass for zero.
published as (

    select
        campaign_key,
        cohort_start_date,
        stage,
        case
            when count(*) = count(amount_minor) then cast(sum(amount_minor) as bigint)
        end as published_minor,
        true as is_published
    from main.rpt_stage_balance__campaign_cohort
    where stage is distinct from 'funding'
    group by campaign_key, cohort_start_date, stage

),

balances as (

    select
        coalesce(journal.campaign_key, published.campaign_key) as campaign_key,
        coalesce(journal.cohort_start_date, published.cohort_start_date) as cohort_start_date,
        coalesce(journal.stage, published.stage) as stage,
        coalesce(journal.journal_minor, 0) as journal_minor,
        case when published.is_published then published.published_minor else 0 end
            as published_minor
    from journal
    full join published
        on
            journal.campaign_key is not distinct from published.campaign_key
            and journal.cohort_start_date is not distinct from published.cohort_start_date
            and journal.stage is not distinct from published.stage

),

balance_sums as (

    select
        campaign_key,
        cohort_start_date,
        cast(sum(journal_minor) as bigint) as journal_minor,
        cast(sum(published_minor) as bigint) as published_minor
    from balances
    group by campaign_key, cohort_start_date

),

spend as (

    select
        campaign_key,
        cohort_start_date,
        cast(coalesce(sum(amount_minor), 0) as bigint) as spend_minor
    from main.fct_spend__campaign_daily
    group by campaign_key, cohort_start_date

),

cohorts as (

    select
        coalesce(spend.campaign_key, balance_sums.campaign_key) as campaign_key,
        coalesce(spend.cohort_start_date, balance_sums.cohort_start_date) as cohort_start_date,
        coalesce(spend.spend_minor, 0) as spend_minor,
        coalesce(balance_sums.journal_minor, 0) as journal_minor,
        coalesce(balance_sums.published_minor, 0) as published_minor
    from spend
    full join balance_sums
        on
            spend.campaign_key is not distinct from balance_sums.campaign_key
            and spend.cohort_start_date is not distinct from balance_sums.cohort_start_date

),

problems as (

    select
        'the stages in the journal do not add up to the spend' as problem,
        campaign_key,
        cohort_start_date,
        '(all stages)' as stage,
        spend_minor as expected_minor,
        journal_minor as actual_minor
    from cohorts
    where journal_minor is distinct from spend_minor

    union all

    select
        'the published balances do not add up to the spend' as problem,
        campaign_key,
        cohort_start_date,
        '(all stages)' as stage,
        spend_minor as expected_minor,
        published_minor as actual_minor
    from cohorts
    where published_minor is distinct from spend_minor

    union all

    select
        'the published balance is not the one the journal gives' as problem,
        campaign_key,
        cohort_start_date,
        stage,
        journal_minor as expected_minor,
        published_minor as actual_minor
    from balances
    where published_minor is distinct from journal_minor

),

final as (

    select
        cast(null as varchar) as feed,
        *,
        actual_minor - expected_minor as difference_minor
    from problems
    order by abs(actual_minor - expected_minor) desc nulls first, campaign_key, cohort_start_date

)

select * from final;
