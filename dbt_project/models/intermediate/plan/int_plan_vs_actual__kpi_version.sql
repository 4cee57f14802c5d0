-- Plan against actuals of each version's days of a period, judged by that version.
-- Grain: version, period, scope, metric; one version of each period governs it: the newest that has
-- begun or, of a period none has begun in, the first.
-- `numerator`, `denominator`, `waiting` and what is expected of them are additive over versions: a
-- whole period is judged on their sums. Expected of a rate, a price or days: the denominator (of
-- all: with the waiting) × the plan's figure.

with

plan as (

    select * from {{ ref("int_plan__kpi_period") }}

),

daily as (

    select * from {{ ref("int_kpi__scope_daily") }}

),

run_parameter as (

    select {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

actuals as (

    select
        plan.version,
        plan.period,
        plan.scope,
        plan.metric,
        {{ exact_sum("daily.numerator") }} as numerator,
        {{ exact_sum("daily.denominator") }} as denominator,
        {{ exact_sum("daily.without_amount") }} as without_amount,
        {{ exact_sum("daily.waiting") }} as waiting
    from plan
    inner join daily
        on
            plan.version = daily.version
            and plan.scope = daily.scope
            and plan.metric = daily.metric
            and plan.period_start_date <= daily.day
            and plan.period_end_date > daily.day
    group by plan.version, plan.period, plan.scope, plan.metric

),

counted as (

    select
        plan.*,
        coalesce(actuals.numerator, 0) as numerator,
        coalesce(actuals.denominator, 0) as denominator,
        coalesce(actuals.without_amount, 0) as without_amount,
        coalesce(actuals.waiting, 0) as waiting,
        plan.in_force_from <= run_parameter.as_of_date as has_begun,
        plan.period_end_date > run_parameter.as_of_date as is_open,
        plan.in_force_from <= run_parameter.as_of_date and plan.is_measured as is_counted,
        plan.in_force_from <= run_parameter.as_of_date
        and plan.is_measured
        and (plan.is_additive or coalesce(actuals.denominator, 0) > 0) as has_actual
    from plan
    cross join run_parameter
    left join actuals
        on
            plan.version = actuals.version
            and plan.period = actuals.period
            and plan.scope = actuals.scope
            and plan.metric = actuals.metric

),

expected as (

    select
        *,
        case
            when is_additive then plan_to_date_value
            else cast(cast(denominator as decimal(18, 0)) * plan_value as decimal(38, 9))
        end as expected_value,
        case
            when is_additive then plan_to_date_value
            else cast(cast(denominator + waiting as decimal(18, 0)) * plan_value as decimal(38, 9))
        end as expected_of_all_value,
        {{ chance_value(
            "unit",
            "denominator + waiting",
            "plan_value",
            "plan_to_date_value",
            "deal_value_minor",
        ) }} as chance_value,
        {{ has_passed("to_date_share", "in_force_share", "variance_after_pct") }} as has_passed
    from counted

),

judged as (

    select
        *,
        case
            when is_counted
                then cast(
                    round((numerator - expected_value) * unit_worth_minor, 0) as bigint
                )
        end as variance_minor,
        case
            when has_actual
                then {{ is_beyond_chance(
                    "unit",
                    "numerator",
                    "waiting",
                    "expected_of_all_value",
                    "chance_value",
                    "variance_sigma",
                ) }}
        end as is_beyond_chance,
        has_actual
        and {{ is_beyond_tolerance(
            "numerator", "waiting", "expected_of_all_value", "tolerance_pct"
        ) }}
            as is_beyond_tolerance
    from expected

),

with_verdict as (

    select
        *,
        has_passed
        and is_beyond_tolerance
        and coalesce(is_beyond_chance, true) as is_outside_tolerance
    from judged

),

final as (

    select
        *,
        {{ kpi_status(
            "tolerance_pct",
            "has_passed",
            "has_actual",
            "is_outside_tolerance",
            "better",
            "numerator",
            "expected_value",
        ) }} as status,
        row_number() over (
            partition by period, scope, metric
            order by
                case when has_begun then 0 else 1 end,
                case when has_begun then -version else version end
        ) = 1 as is_governing
    from with_verdict

)

select * from final
