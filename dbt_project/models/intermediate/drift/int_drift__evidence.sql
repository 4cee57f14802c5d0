-- The evidence that a cohort's rate is below (behind) or above (ahead of) what it is held to.
-- Grain: cohort_number; only cohorts that somebody has entered.
--
-- The test. For leads in the order in which they entered, the average over bets l of product(1 + l *
-- (x - p0)), x = 1 for a conversion, is a test martingale: if the rate is p0 it ever reaches 1/alpha
-- with probability alpha at most (Ville 1939; Waudby-Smith and Ramdas 2024). Bets are in
-- macros/plan/drift.sql.
--
-- The order. Leads settle in another order than that in which they entered, and those who leave fast
-- would count before those who convert slowly. So for every prefix of the order of entry its value is
-- taken with all who wait counting for the plan. That is at most what the prefix is worth once all
-- have settled, and it only grows while they settle; so the largest over all prefixes may be held
-- against 1/alpha at any time, covers every earlier look, and raises no more false alarms than the
-- martingale itself, whatever the order, the delays and the batches in which leads settle.
-- A prefix ends with an hour of entry: within one, the order of rows is the source's. The hour that
-- is not over yet is none, so that what was seen once is seen ever after.

{% set directions = ["behind", "ahead"] %}

with

outcomes as (

    select * from {{ ref("int_drift__outcome") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

hours as (

    select
        cohort_number,
        cast(date_trunc('hour', entered_at) as timestamp) as entered_hour_at,
        rate,
        max(version) as version,
        count(*) as entered,
        count(settled_at) as matured,
        count(case when is_converted then 1 end) as converted,
        max(case when is_committed then 1 else 0 end) as committed,
        max(case when is_awaited_late then 1 else 0 end) as awaited_late
    from outcomes
    group by cohort_number, cast(date_trunc('hour', entered_at) as timestamp), rate

),

steps as (

    select
        *,
        {%- for direction, against in [("behind", "(matured - converted)"), ("ahead", "converted")] %}
        {%- for bet, weight in drift_bets(direction) %}
        {{ drift_step(direction, bet, "rate", "entered", against) }}
            as {{ direction }}_step_{{ loop.index }},
        {%- endfor %}
        {%- endfor %}
        entered_hour_at + interval '1' hour as hour_ends_at
    from hours

),

-- Of each prefix the sums of logarithms, and what its last hour adds to the cohort's totals.
prefixes as (

    select
        steps.cohort_number,
        steps.version,
        steps.rate,
        steps.entered,
        steps.matured,
        steps.converted,
        steps.committed,
        steps.awaited_late,
        {%- for direction in directions %}
        {%- for bet in drift_bets(direction) %}
        sum(steps.{{ direction }}_step_{{ loop.index }}) over so_far
            as {{ direction }}_{{ loop.index }},
        {%- endfor %}
        {%- endfor %}
        row_number() over so_far as prefix_number,
        steps.hour_ends_at <= run_parameter.as_of as is_over
    from steps
    cross join run_parameter
    window
        so_far as (
            partition by steps.cohort_number
            order by steps.entered_hour_at, steps.rate
            rows between unbounded preceding and current row
        )

),

valued as (

    select
        *,
        {%- for direction in directions %}
        {{ drift_evidence(direction, direction) }} as {{ direction }}{{ "," if not loop.last }}
        {%- endfor %}
    from prefixes

),

cohorts as (

    select
        cohort_number,
        max(version) as plan_version,
        {{ exact_sum("entered") }} as entered,
        {{ exact_sum("matured") }} as matured,
        {{ exact_sum("converted") }} as converted,
        sum(cast(rate as decimal(10, 9)) * entered) as expected_conversions,
        {%- for direction in directions %}
        max_by({{ direction }}, prefix_number) as {{ direction }}_evidence,
        max(case when is_over then {{ direction }} end) as max_{{ direction }}_evidence,
        {%- endfor %}
        max(committed) = 1 as is_committed,
        max(awaited_late) = 1 as is_awaited_late
    from valued
    group by cohort_number

),

final as (

    select
        -- ids
        cohort_number,
        plan_version,
        -- numbers
        entered,
        matured,
        converted,
        cast(expected_conversions as double) / entered as expected_rate,
        {%- for direction in directions %}
        {{ direction }}_evidence,
        -- Before anybody entered it was 1.
        greatest(coalesce(max_{{ direction }}_evidence, 1), 1) as max_{{ direction }}_evidence,
        {%- endfor %}
        -- booleans
        is_committed,
        is_awaited_late
    from cohorts

)

select * from final
