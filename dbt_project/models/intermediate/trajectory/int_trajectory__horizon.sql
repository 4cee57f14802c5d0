-- The periods of the plan that are open at as_of, and how many days each has left after it.
-- Grain: period. `rest_of_day`: the share of as_of's own day that is still to come.

with

parts as (

    select * from {{ ref("int_plan_vs_actual__kpi_version") }}
    where has_begun and is_open

),

run_parameter as (

    select
        as_of,
        time_zone,
        {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

final as (

    select
        parts.period,
        {{ days_between("max(run_parameter.as_of_date)", "max(parts.period_end_date)") }} - 1
            as days_left,
        max(run_parameter.as_of_date) as as_of_date,
        max({{ rest_of_day("run_parameter") }}) as rest_of_day,
        max(parts.period_end_date) as period_end_date
    from parts
    cross join run_parameter
    group by parts.period

)

select * from final
