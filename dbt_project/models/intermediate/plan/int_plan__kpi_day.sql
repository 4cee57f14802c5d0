-- Every KPI of the plan day by day: what was due by the end of the day and what there was, and
-- whether that was outside the tolerance of the version in force on that day.
-- Grain: period, scope, metric, day: the days of the period up to as_of and, of rates, the later
-- days on which leads of the period were decided. Figures are running totals over all versions.

with

plan as (

    select * from {{ ref("int_plan__kpi_period") }}
    where is_measured

),

pace as (

    select * from {{ ref("int_plan__pace_day") }}
    where is_in_force and period_weight > 0

),

daily as (

    select * from {{ ref("int_kpi__scope_daily") }}

),

run_parameter as (

    select {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

due as (

    select
        plan.period,
        plan.scope,
        plan.metric,
        pace.day,
        plan.version,
        cast(0 as bigint) as numerator,
        cast(0 as bigint) as denominator,
        case
            when plan.is_additive
                then {{ paced_value(
                    "plan.plan_value", "plan.unit", "pace.weight_to_day", "pace.period_weight"
                ) }} - {{ paced_value(
                    "plan.plan_value",
                    "plan.unit",
                    "(pace.weight_to_day - pace.weight)",
                    "pace.period_weight",
                ) }}
            else cast(0 as decimal(38, 9))
        end as expected_value,
        cast(0 as bigint) as waiting,
        cast(0 as decimal(38, 9)) as expected_of_waiting_value,
        cast(null as decimal(38, 9)) as chance_value,
        {{ paced_value("1", "'share'", "pace.weight_to_day", "pace.period_weight") }}
        - {{ paced_value(
            "1", "'share'", "(pace.weight_to_day - pace.weight)", "pace.period_weight"
        ) }} as due_share
    from plan
    inner join pace
        on
            plan.version = pace.version
            and plan.curve = pace.curve
            and plan.period = pace.period
    cross join run_parameter
    where pace.day <= run_parameter.as_of_date

),

-- Who enters waits until decided; only rates have anybody waiting.
entered as (

    select
        plan.period,
        plan.scope,
        plan.metric,
        daily.day,
        plan.version,
        cast(0 as bigint) as numerator,
        cast(0 as bigint) as denominator,
        cast(0 as decimal(38, 9)) as expected_value,
        daily.denominator + daily.waiting as waiting,
        cast(
            cast(daily.denominator + daily.waiting as decimal(18, 0)) * plan.plan_value
            as decimal(38, 9)
        ) as expected_of_waiting_value,
        {{ chance_value(
            "plan.unit", "daily.denominator + daily.waiting", "plan.plan_value", "null", "null"
        ) }} as chance_value,
        cast(0 as decimal(38, 9)) as due_share
    from plan
    inner join daily
        on
            plan.version = daily.version
            and plan.scope = daily.scope
            and plan.metric = daily.metric
            and plan.period_start_date <= daily.day
            and plan.period_end_date > daily.day
    where plan.unit = 'rate'

),

done as (

    select
        plan.period,
        plan.scope,
        plan.metric,
        daily.known_date as day,
        plan.version,
        daily.numerator,
        daily.denominator,
        case
            when plan.is_additive then cast(0 as decimal(38, 9))
            else cast(
                cast(daily.denominator as decimal(18, 0)) * plan.plan_value as decimal(38, 9)
            )
        end as expected_value,
        case when plan.unit = 'rate' then -daily.denominator else 0 end as waiting,
        case
            when plan.unit = 'rate'
                then cast(
                    cast(-daily.denominator as decimal(18, 0)) * plan.plan_value as decimal(38, 9)
                )
            else cast(0 as decimal(38, 9))
        end as expected_of_waiting_value,
        cast(null as decimal(38, 9)) as chance_value,
        cast(0 as decimal(38, 9)) as due_share
    from plan
    inner join daily
        on
            plan.version = daily.version
            and plan.scope = daily.scope
            and plan.metric = daily.metric
            and plan.period_start_date <= daily.day
            and plan.period_end_date > daily.day
    where daily.known_date is not null

),

changes as (

    select * from due

    union all

    select * from entered

    union all

    select * from done

),

-- Chance of a sum of deals is reckoned by the deal of the version of each day: an amendment of the
-- average deal must not judge the days before it.
days as (

    select
        changes.period,
        changes.scope,
        changes.metric,
        changes.day,
        max(changes.version) as version,
        sum(changes.numerator) as numerator,
        sum(changes.denominator) as denominator,
        sum(changes.expected_value) as expected_value,
        sum(changes.waiting) as waiting,
        sum(changes.expected_of_waiting_value) as expected_of_waiting_value,
        sum(
            case
                when plan.unit = 'minor'
                    then {{ chance_value(
                        "plan.unit", "null", "null", "changes.expected_value",
                        "plan.deal_value_minor"
                    ) }}
                else changes.chance_value
            end
        ) as chance_value,
        sum(changes.due_share) as due_share
    from changes
    inner join plan
        on
            changes.version = plan.version
            and changes.period = plan.period
            and changes.scope = plan.scope
            and changes.metric = plan.metric
    group by changes.period, changes.scope, changes.metric, changes.day

),

running as (

    select
        period,
        scope,
        metric,
        day,
        max(version) over to_day as version,
        cast(sum(numerator) over to_day as bigint) as numerator,
        cast(sum(denominator) over to_day as bigint) as denominator,
        cast(sum(expected_value) over to_day as decimal(38, 9)) as expected_value,
        cast(sum(waiting) over to_day as bigint) as waiting,
        cast(sum(expected_of_waiting_value) over to_day as decimal(38, 9))
            as expected_of_waiting_value,
        cast(sum(chance_value) over to_day as decimal(38, 9)) as chance_value,
        cast(sum(due_share) over to_day as decimal(38, 9)) as to_date_share
    from days
    window
        to_day as (
            partition by period, scope, metric
            order by day
            rows between unbounded preceding and current row
        )

),

shares as (

    select
        period,
        scope,
        metric,
        sum(in_force_share) as in_force_share
    from plan
    group by period, scope, metric

),

final as (

    select
        running.period,
        running.scope,
        running.metric,
        running.day,
        running.version,
        running.numerator,
        running.denominator,
        running.waiting,
        running.expected_value,
        running.to_date_share,
        (plan.is_additive or running.denominator > 0)
        and {{ has_passed(
            "running.to_date_share", "shares.in_force_share", "plan.variance_after_pct"
        ) }}
        and {{ is_beyond_tolerance(
            "running.numerator",
            "running.waiting",
            "(running.expected_value + running.expected_of_waiting_value)",
            "plan.tolerance_pct",
        ) }}
        and coalesce(
            {{ is_beyond_chance(
                "plan.unit",
                "running.numerator",
                "running.waiting",
                "(running.expected_value + running.expected_of_waiting_value)",
                "case plan.unit when 'count' then running.expected_value"
                ~ " else running.chance_value end",
                "plan.variance_sigma",
            ) }},
            true
        ) as is_outside_tolerance
    from running
    inner join plan
        on
            running.version = plan.version
            and running.period = plan.period
            and running.scope = plan.scope
            and running.metric = plan.metric
    inner join shares
        on
            running.period = shares.period
            and running.scope = shares.scope
            and running.metric = shares.metric

)

select * from final
