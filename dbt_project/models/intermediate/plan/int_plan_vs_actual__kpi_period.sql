-- Plan against actuals of a whole period: the parts of all versions, judged together.
-- Grain: period, scope, metric.
-- Owner, tolerance and rules are those of the version that governs the period.

with

parts as (

    select * from {{ ref("int_plan_vs_actual__kpi_version") }}

),

governing as (

    select * from parts
    where is_governing

),

sums as (

    select
        period,
        scope,
        metric,
        {{ ordered_list("version") }} as plan_versions,
        count(*) as versions,
        min(period_start_date) as period_start_date,
        max(period_end_date) as period_end_date,
        sum(plan_in_force_value) as plan_in_force_value,
        sum(plan_to_date_value) as plan_to_date_value,
        sum(in_force_share) as in_force_share,
        sum(to_date_share) as to_date_share,
        {{ exact_sum("numerator") }} as numerator,
        {{ exact_sum("denominator") }} as denominator,
        {{ exact_sum("without_amount") }} as without_amount,
        {{ exact_sum("waiting") }} as waiting,
        sum(expected_value) as expected_value,
        sum(expected_of_all_value) as expected_of_all_value,
        sum(chance_value) as chance_value,
        -- Part of a sum of money would pass for the whole.
        case
            when
                count(case when is_counted then 1 end)
                = count(case when is_counted then variance_minor end)
                then {{ exact_sum("case when is_counted then variance_minor end") }}
        end as variance_minor,
        max(case when is_counted then 1 else 0 end) = 1 as is_counted,
        max(case when has_actual then 1 else 0 end) = 1 as has_actual,
        max(case when is_open then 1 else 0 end) = 1 as is_open
    from parts
    group by period, scope, metric

),

whole as (

    select
        sums.*,
        governing.period_kind,
        governing.kind,
        governing.unit,
        governing.better,
        governing.activity_metric,
        governing.value_metric,
        governing.owner,
        governing.owner_department,
        governing.tolerance_pct,
        governing.cadence_days,
        governing.variance_sigma,
        governing.is_additive,
        case
            when governing.is_additive then sums.plan_in_force_value
            else coalesce(
                {{ quotient("sums.expected_value", "sums.denominator") }}, governing.plan_value
            )
        end as plan_value,
        case
            when governing.is_additive then sums.plan_to_date_value
            else coalesce(
                {{ quotient("sums.expected_value", "sums.denominator") }}, governing.plan_value
            )
        end as plan_due_value,
        {{ has_passed(
            "sums.to_date_share", "sums.in_force_share", "governing.variance_after_pct"
        ) }} as has_passed
    from sums
    inner join governing
        on
            sums.period = governing.period
            and sums.scope = governing.scope
            and sums.metric = governing.metric

),

judged as (

    select
        *,
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
    from whole

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
        ) }} as status
    from with_verdict

)

select * from final
