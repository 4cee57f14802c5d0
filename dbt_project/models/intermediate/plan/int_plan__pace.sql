-- How much of a period has passed by a pacing curve, for the days on which the version is in force.
-- Grain: version, curve, period; only periods with a day on which the version is in force.
-- Weights are cumulated from the period's first day on; a share of a target is a difference of two.

with

days as (

    select * from {{ ref("int_plan__pace_day") }}
    where is_in_force and period_weight > 0

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

final as (

    select
        days.version,
        days.curve,
        days.period,
        min(days.day) as in_force_from,
        cast(max(days.day) + interval '1' day as date) as in_force_to,
        min(days.period_weight) as period_weight,
        min(days.weight_to_day - days.weight) as weight_before_force,
        max(days.weight_to_day) as weight_to_end_of_force,
        coalesce(
            max(
                case
                    when
                        days.day
                        <= {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }}
                        then days.weight_to_day
                end
            ),
            min(days.weight_to_day - days.weight)
        ) as weight_to_date
    from days
    cross join run_parameter
    group by days.version, days.curve, days.period

)

select * from final
