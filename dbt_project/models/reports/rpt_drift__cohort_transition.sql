-- Is the plan's rate still believable? The verdict on each planned transition, lead by lead.
-- Grain: metric, period, scope; only cohorts that somebody has entered (int_drift__outcome).
-- `evidence` is of today, with all who have entered and those who wait counting for the plan;
-- `max_evidence` is the most that any prefix of the order of entry is worth, and covers every
-- earlier look (int_drift__evidence). An alarm, once raised, stays.
--
-- The verdict. Lateness is ruled out first: where nothing is shown and the feed of leads who wait
-- is late, it is the data that is late. Nothing shown is believable only if so many have settled
-- that a loss of 30 percent would have shown itself: 1.3 * ln(1/alpha) / KL(0.7 * p0 || p0).
--
-- Many cohorts. A list of a thousand campaigns has ten false alarms at alpha 0.01. `is_discovery`
-- holds the share of false ones among those it names at 5 percent, within the cohorts of one
-- metric, period and level of scope: the list that is looked at together (e-BH, Wang and Ramdas
-- 2022). A running maximum is no e-value: `e_value` is the average of today's evidence and of the
-- adjusted maximum, which both are.

{% set directions = ["behind", "ahead"] %}

with

evidence as (

    select * from {{ ref("int_drift__evidence") }}

),

alarms as (

    select * from {{ ref("int_drift__alarm") }}

),

streams as (

    select * from {{ ref("int_drift__stream") }}

),

kpis as (

    select * from {{ ref("dim_kpi") }}
    where kind = 'rate'

),

budgets as (

    select * from {{ ref("int_kpi__scope_daily") }}
    where metric = 'budget'

),

planned as (

    select * from {{ ref("int_plan__kpi_period") }}
    where metric = 'budget'

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

names as (

    select
        cohort_number,
        metric,
        period,
        scope,
        split_part(scope, ':', 1) as scope_level,
        min(period_start_date) as period_start_date,
        max(period_end_date) as period_end_date
    from streams
    group by cohort_number, metric, period, scope

),

cohorts as (

    select
        evidence.*,
        names.metric,
        names.period,
        names.scope,
        names.scope_level,
        names.period_start_date,
        names.period_end_date,
        kpis.from_stage,
        kpis.to_stage,
        behind.alarmed_at,
        behind.matured as matured_at_alarm,
        ahead.alarmed_at as ahead_at,
        ahead.matured as matured_at_ahead,
        {%- for direction in directions %}
        {{ shown_evidence(
            "(evidence." ~ direction ~ "_evidence + ("
            ~ adjusted_maximum("evidence.max_" ~ direction ~ "_evidence") ~ ")) / 2"
        ) }} as {{ direction }}_e_value,
        {%- endfor %}
        least(greatest(evidence.expected_rate, 0.000001), 0.99) as tested_rate
    from evidence
    inner join names on evidence.cohort_number = names.cohort_number
    inner join kpis on names.metric = kpis.metric
    left join alarms as behind
        on
            evidence.cohort_number = behind.cohort_number
            and behind.direction = 'behind'
    left join alarms as ahead
        on
            evidence.cohort_number = ahead.cohort_number
            and ahead.direction = 'ahead'

),

-- The k-th largest of n e-values is a discovery if it is n / (k * alpha) or more, and then so are
-- all above it.
ranked as (

    select
        *,
        {%- for direction in directions %}
        count(*) over (
            partition by metric, period, scope_level
            order by {{ direction }}_e_value desc
        ) as {{ direction }}_rank,
        {%- endfor %}
        count(*) over family as cohorts
    from cohorts
    window family as (partition by metric, period, scope_level)

),

discovered as (

    select
        *,
        {%- for direction in directions %}
        coalesce({{ direction }}_e_value >= min(
            case
                when
                    {{ direction }}_e_value * {{ direction }}_rank * {{ drift_alpha_fdr() }}
                    >= cohorts
                    then {{ direction }}_e_value
            end
        ) over family, false) as is_{{ direction }}_discovery,
        {%- endfor %}
        scope_level as list_level
    from ranked
    window family as (partition by metric, period, scope_level)

),

-- What the scope's campaigns had spent of the period's budget by the end of the day of the alarm.
spent as (

    select
        discovered.cohort_number,
        {{ exact_sum("budgets.numerator") }} as spent_at_alarm_minor
    from discovered
    cross join run_parameter
    inner join budgets
        on
            discovered.scope = budgets.scope
            and discovered.period_start_date <= budgets.day
            and discovered.period_end_date > budgets.day
            and budgets.day <= {{ local_date("discovered.alarmed_at", "run_parameter.time_zone") }}
    where discovered.alarmed_at is not null
    group by discovered.cohort_number

),

planned_budgets as (

    select
        period,
        scope,
        cast(round(sum(plan_in_force_value), 0) as bigint) as budget_minor
    from planned
    group by period, scope

),

final as (

    select
        -- text
        discovered.metric,
        discovered.period,
        discovered.scope,
        discovered.from_stage,
        discovered.to_stage,
        case
            when discovered.alarmed_at is not null then 'alarm'
            when discovered.ahead_at is not null then 'ahead'
            when discovered.is_awaited_late then 'late data'
            when
                discovered.matured * (
                    0.7 * discovered.tested_rate * ln(0.7)
                    + (1 - 0.7 * discovered.tested_rate)
                    * ln((1 - 0.7 * discovered.tested_rate) / (1 - discovered.tested_rate))
                ) >= 1.3 * ln(1 / {{ drift_alpha() }})
                then 'believable'
            else 'cannot tell yet'
        end as verdict,
        -- numbers
        discovered.plan_version,
        discovered.entered,
        discovered.matured,
        discovered.converted,
        cast(discovered.expected_rate as decimal(10, 9)) as expected_rate,
        cast(
            cast(discovered.converted as double) / nullif(discovered.matured, 0)
            as decimal(10, 9)
        ) as actual_rate,
        {{ shown_evidence("discovered.behind_evidence") }} as evidence,
        {{ shown_evidence("discovered.max_behind_evidence") }} as max_evidence,
        {{ shown_evidence("discovered.ahead_evidence") }} as ahead_evidence,
        {{ shown_evidence("discovered.max_ahead_evidence") }} as max_ahead_evidence,
        cast(1 / {{ drift_alpha() }} as decimal(18, 6)) as alarm_evidence,
        discovered.behind_e_value as e_value,
        discovered.ahead_e_value,
        discovered.matured_at_alarm,
        discovered.matured_at_ahead,
        spent.spent_at_alarm_minor,
        planned_budgets.budget_minor,
        -- booleans
        discovered.is_committed,
        discovered.alarmed_at is not null as is_alarm,
        discovered.ahead_at is not null as is_ahead,
        discovered.is_behind_discovery as is_discovery,
        discovered.is_ahead_discovery,
        -- times
        discovered.period_start_date,
        discovered.period_end_date,
        discovered.alarmed_at,
        discovered.ahead_at
    from discovered
    left join spent on discovered.cohort_number = spent.cohort_number
    left join planned_budgets
        on
            discovered.period = planned_budgets.period
            and discovered.scope = planned_budgets.scope

)

select * from final
