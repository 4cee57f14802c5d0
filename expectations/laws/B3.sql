/*
id: B3
title: The trial balance is zero
meaning: >
  Every entry of the dollar journal takes from one stage exactly what it gives to another, so all
  stages together come to zero. No stage can give more than it has received, on any day: a balance
  below zero needs credits larger than the spend. The one exception is money still in the market
  while its own period is open, because a lead may arrive before the spend that won it.
severity: block
unit: minor
forgivable: false
waivable: false
owner: Analytics engineering, who own the models
what_to_do: >
  Look at the first day in the rows. An entry without one of its sides, or a stage that gave more
  than it had, is a fault in the models; readers keep the last good version. Send the rows and the
  log of the run to the owner.
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

final as (

    select
        cast(0 as bigint) as expected,
        cast(
            coalesce(sum(amount_minor) filter (where to_stage is not null), 0)
            - coalesce(sum(amount_minor) filter (where from_stage is not null), 0)
            as bigint
        ) as actual,
        cast(
            coalesce(sum(amount_minor) filter (where to_stage is not null), 0)
            - coalesce(sum(amount_minor) filter (where from_stage is not null), 0)
            as bigint
        ) as difference,
        count(*) as checked
    from main.fct_dollar_journal__entry

)

select * from final;

-- query: offenders
with

-- A cohort's period ends at midnight in the reporting zone, so money in the market is followed by
-- local days; between all other stages any day will do, and UTC days are quicker. Changing the zone
-- of every entry takes 5.8 s of processor time at 10 million entries; so entries are added up by
-- the quarter of an hour first, and only around midnight, which is where quarters matter.
midnights as (

    select
        extract(hour from midnight_at) * 4 + extract(minute from midnight_at) // 15 as quarter
    from (
        select
            timezone(
                'UTC',
                timezone(
                    run.time_zone,
                    unnest(generate_series(
                        date_trunc('day', bounds.first_at),
                        bounds.last_at + interval 2 day,
                        interval 1 day
                    ))
                )
            ) as midnight_at
        from (
            select
                min(occurred_at) as first_at,
                max(occurred_at) as last_at
            from main.fct_dollar_journal__entry
        ) as bounds
        cross join audit.run
    ) as local_midnights

),

near_midnight as (

    select
        min(quarter) as first_quarter,
        max(quarter) as last_quarter
    from midnights

),

moves as (

    select
        entries.campaign_key,
        entries.cohort_start_date,
        entries.from_stage,
        entries.to_stage,
        cast(entries.occurred_at as date) as utc_date,
        case
            when
                entries.from_stage in ('funding', 'in_market')
                or entries.to_stage in ('funding', 'in_market')
                then least(
                    greatest(
                        extract(hour from entries.occurred_at) * 4
                        + extract(minute from entries.occurred_at) // 15,
                        near_midnight.first_quarter - 1
                    ),
                    near_midnight.last_quarter
                )
        end as quarter,
        sum(entries.amount_minor) as amount_minor
    from main.fct_dollar_journal__entry as entries
    cross join near_midnight
    group by all

),

dated_moves as (

    select
        moves.*,
        cast(
            timezone(
                run.time_zone,
                timezone('UTC', moves.utc_date + to_minutes(cast(moves.quarter * 15 as integer)))
            ) as date
        ) as local_date
    from moves
    cross join audit.run

),

sides as (

    select
        campaign_key,
        cohort_start_date,
        to_stage as stage,
        case when to_stage in ('funding', 'in_market') then local_date else utc_date end as day,
        amount_minor
    from dated_moves

    union all

    select
        campaign_key,
        cohort_start_date,
        from_stage as stage,
        case when from_stage in ('funding', 'in_market') then local_date else utc_date end as day,
        -amount_minor as amount_minor
    from dated_moves

),

daily as (

    select
        campaign_key,
        cohort_start_date,
        stage,
        day,
        sum(amount_minor) as amount_minor
    from sides
    where stage is not null
    group by campaign_key, cohort_start_date, stage, day

),

-- Each balance at the end of its day, and the day on which the next one replaces it.
balances as (

    select
        campaign_key,
        cohort_start_date,
        stage,
        day,
        lead(day) over stage_days as next_day,
        sum(amount_minor) over (stage_days rows unbounded preceding) as balance_minor
    from daily
    window stage_days as (
        partition by campaign_key, cohort_start_date, stage
        order by day
    )

),

-- What left funding is the cohort's spend so far; below zero, credits exceed what was spent.
credits as (

    select
        campaign_key,
        cohort_start_date,
        least(min(-balance_minor), 0) as lowest_minor
    from balances
    where stage = 'funding'
    group by campaign_key, cohort_start_date

),

periods as (

    select
        campaign_key,
        cohort_start_date,
        max(cohort_end_date) as cohort_end_date,
        bool_or(cohort_end_date is null) as is_endless
    from main.rpt_stage_balance__campaign_cohort
    group by campaign_key, cohort_start_date

),

today as (

    select cast(timezone(time_zone, timezone('UTC', as_of)) as date) as today
    from audit.run

),

-- cohort_end_date is the first day after the period. An open period is one in which the balance was
-- made good before its last day was over, or whose last day is not over yet.
judged as (

    select
        balances.*,
        coalesce(credits.lowest_minor, 0) as lowest_allowed_minor,
        balances.stage = 'in_market'
        and coalesce(
            periods.is_endless
            or coalesce(balances.next_day, greatest(today.today, balances.day))
            < periods.cohort_end_date,
            false
        ) as is_open
    from balances
    cross join today
    left join credits
        on
            balances.campaign_key is not distinct from credits.campaign_key
            and balances.cohort_start_date is not distinct from credits.cohort_start_date
    left join periods
        on
            balances.campaign_key is not distinct from periods.campaign_key
            and balances.cohort_start_date is not distinct from periods.cohort_start_date

),

below_zero as (

    select
        campaign_key,
        cohort_start_date,
        stage,
        min(day) as first_day,
        count(*) as days,
        cast(min(balance_minor) as bigint) as lowest_minor
    from judged
    where stage <> 'funding' and not is_open and balance_minor < lowest_allowed_minor
    group by campaign_key, cohort_start_date, stage

),

one_sided as (

    select
        entry_id,
        campaign_key,
        cohort_start_date,
        from_stage,
        to_stage,
        cast(occurred_at as date) as first_day,
        amount_minor
    from main.fct_dollar_journal__entry
    where
        from_stage is null
        or to_stage is null
        or from_stage = to_stage
        or amount_minor is null
        or occurred_at is null

),

problems as (

    select
        'an entry does not have two sides, an amount and a time' as problem,
        campaign_key,
        cohort_start_date,
        coalesce(from_stage, '(none)') || ' > ' || coalesce(to_stage, '(none)') as stage,
        first_day,
        cast(1 as bigint) as days,
        amount_minor,
        entry_id
    from one_sided

    union all

    select
        'a balance is below zero without a credit that explains it' as problem,
        campaign_key,
        cohort_start_date,
        stage,
        first_day,
        days,
        lowest_minor as amount_minor,
        cast(null as varchar) as entry_id
    from below_zero

),

final as (

    select
        cast(null as varchar) as feed,
        *
    from problems
    order by first_day, campaign_key, cohort_start_date, stage

)

select * from final;
