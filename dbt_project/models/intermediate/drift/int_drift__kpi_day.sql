-- Volumes and money beside the plan's curve, in steps that evidence can be summed from.
-- Grain: period, scope, metric, step_number; the days that are wholly known. A step is a day on
-- which the curve expects something, with the days before it on which it does not: what comes at a
-- weekend counts on Monday.
-- `done` and `due` are in units of one lead or deal: pipeline and bookings are divided by the
-- planned deal of the day's version. For the size of deals (acv) `done` is worth in planned deals,
-- and `due` the number of deals. `dispersion` is how much more than a Poisson count the steps
-- before this one varied around their own mean, at least 1; ten steps of 2 are taken as known
-- before the first.

with

days as (

    select * from {{ ref("int_plan__kpi_day") }}

),

plan as (

    select * from {{ ref("int_plan__kpi_period") }}
    where is_measured and kind in ('volume', 'price') and metric not in ('budget', 'cost_per_lead')

),

feeds as (

    select * from {{ ref("int_drift__feed") }}

),

kpis as (

    select * from {{ ref("kpis") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

-- A feed that is late ends what is known; else the one that delivered last says how far it goes.
known as (

    select
        entity,
        max(case when is_late then 1 else 0 end) = 1 as is_late,
        coalesce(min(case when is_late then complete_until end), max(complete_until))
            as complete_until
    from feeds
    group by entity

),

known_days as (

    select
        kpis.metric,
        coalesce(known.is_late, false) as is_late,
        {{ local_date(
            "least(coalesce(known.complete_until, run_parameter.as_of), run_parameter.as_of)",
            "run_parameter.time_zone",
        ) }} as first_unknown_day
    from kpis
    cross join run_parameter
    left join known
        on
            known.entity = case
                when kpis.to_stage in ('lead', 'mql', 'sal', 'sql') then 'lead'
                else 'opportunity'
            end

),

with_units as (

    select
        days.period,
        days.scope,
        days.metric,
        days.day,
        known_days.is_late,
        case
            when plan.metric = 'acv' then plan.plan_value
            when plan.unit = 'minor' then plan.deal_value_minor
            else 1
        end as unit_value,
        days.numerator - lag(days.numerator, 1, 0) over by_day as done,
        case
            when plan.metric = 'acv' then days.denominator - lag(days.denominator, 1, 0) over by_day
            else days.expected_value - lag(days.expected_value, 1, 0) over by_day
        end as due
    from days
    inner join plan
        on
            days.version = plan.version
            and days.period = plan.period
            and days.scope = plan.scope
            and days.metric = plan.metric
    inner join known_days on days.metric = known_days.metric
    where days.day < known_days.first_unknown_day
    window
        by_day as (
            partition by days.period, days.scope, days.metric
            order by days.day
        )

),

numbered as (

    select
        *,
        count(case when due > 0 then 1 end) over (
            partition by period, scope, metric
            order by day desc
            rows between unbounded preceding and current row
        ) as steps_to_come
    from with_units

),

steps as (

    select
        period,
        scope,
        metric,
        max(day) as day,
        max(case when is_late then 1 else 0 end) = 1 as is_late,
        cast(sum(cast(done as double) / cast(unit_value as double)) as double) as done,
        cast(
            sum(
                cast(due as double)
                / case when metric = 'acv' then 1 else cast(unit_value as double) end
            ) as double
        ) as due
    from numbered
    where steps_to_come > 0 and unit_value > 0
    group by period, scope, metric, steps_to_come

),

-- Rounded: a sum of few quotients may differ in its last digits with the order of adding.
rounded as (

    select
        period,
        scope,
        metric,
        day,
        is_late,
        round(done, 6) as done,
        round(due, 6) as due
    from steps

),

with_pace as (

    select
        *,
        row_number() over before_step as step_number,
        sum(round(done * 1000000, 0)) over so_far / sum(round(due * 1000000, 0)) over so_far as pace
    from rounded
    window
        before_step as (
            partition by period, scope, metric
            order by day
        ),
        so_far as (
            partition by period, scope, metric
            order by day
            rows between unbounded preceding and 1 preceding
        )

),

with_residual as (

    select
        *,
        case
            when pace > 0
                then round(
                    1000000 * (done - pace * due) * (done - pace * due) / (pace * due), 0
                )
        end as residual
    from with_pace

),

final as (

    select
        period,
        scope,
        metric,
        step_number,
        day,
        is_late,
        done,
        due,
        round(
            greatest(
                1,
                (20 + coalesce(sum(residual) over so_far, 0) / 1000000)
                / (10 + count(residual) over so_far)
            ),
            6
        ) as dispersion
    from with_residual
    window
        so_far as (
            partition by period, scope, metric
            order by day
            rows between unbounded preceding and 1 preceding
        )

)

select * from final
