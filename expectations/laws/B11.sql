/*
id: B11
title: Every source is fresh
meaning: >
  Each source has delivered within the time it promised, and no day is missing in between. Late
  data looks like underperformance: before asking why leads are down, be sure that they have
  arrived.
severity: block
unit: rows
forgivable: true
waivable: true
owner: The owner of the feed named in the row
what_to_do: >
  Ask for the delivery named in the rows, or run its export again, then rerun. If the source is paused
  on purpose (no spend at weekends, a campaign that ended), take the table out of `daily:` or
  change `cadence_hours:` of the feed in sources.yml, or accept it by number, with a reason, under
  `tolerances: laws: B11:`.
*/

-- query: applies
-- Says nothing when audit.freshness is empty: an emptied table must not pass for no promise.
with

promises as (

    select
        count(*) as tables,
        count(*) filter (where cadence_hours is not null or is_daily) as promised
    from audit.freshness

),

final as (

    select 'no source promises a cadence' as reason
    from promises
    where tables > 0 and promised = 0

)

select * from final;

-- query: measure
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        count(*) filter (where cadence_hours is not null or is_daily) as checked
    from audit.freshness

)

select * from final;

-- query: offenders
with

-- The age is taken anew from the newest row: the one stored beside it is for reading.
aged as (

    select
        freshness.*,
        run.as_of,
        run.as_of - freshness.newest_at > to_hours(freshness.cadence_hours) as is_late
    from audit.freshness
    cross join audit.run

),

late as (

    select
        feed,
        'is late, or has never delivered' as problem,
        table_name,
        source,
        newest_at,
        cadence_hours,
        date_diff('hour', newest_at, as_of) as age_hours,
        cast(null as bigint) as missing_days,
        cast(null as date) as first_missing_day
    from aged
    where cadence_hours is not null and coalesce(is_late, true)

),

with_gaps as (

    select
        feed,
        'has days without data' as problem,
        table_name,
        source,
        newest_at,
        cadence_hours,
        date_diff('hour', newest_at, as_of) as age_hours,
        missing_days,
        first_missing_day
    from aged
    where is_daily and missing_days is distinct from 0

),

final as (

    select * from late

    union all

    select * from with_gaps

)

select * from final;
