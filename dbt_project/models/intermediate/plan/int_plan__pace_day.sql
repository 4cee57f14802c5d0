-- The days of each period and what they weigh on each pacing curve, cumulated.
-- Grain: version, curve, period, day.
-- `weight_to_day` / `period_weight` is the share of a target that is due by the end of the day.

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

periods as (

    select * from {{ ref("stg_landed__plan_period") }}

),

days as (

    select * from {{ ref("stg_landed__plan_day") }}

),

final as (

    select
        periods.version,
        days.curve,
        periods.period,
        days.day,
        days.weight,
        cast(sum(days.weight) over (
            partition by periods.version, days.curve, periods.period
            order by days.day
            rows between unbounded preceding and current row
        ) as bigint) as weight_to_day,
        cast(sum(days.weight) over (
            partition by periods.version, days.curve, periods.period
        ) as bigint) as period_weight,
        days.day >= versions.in_force_from
        and days.day < versions.in_force_to as is_in_force
    from versions
    inner join periods on versions.version = periods.version
    inner join days
        on
            periods.version = days.version
            and periods.period_start_date <= days.day
            and periods.period_end_date > days.day

)

select * from final
