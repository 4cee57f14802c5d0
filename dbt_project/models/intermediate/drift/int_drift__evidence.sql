-- The evidence that a cohort's rate is below (behind) or above (ahead of) what it is held to.
-- Grain: cohort_number; only cohorts that somebody has entered.
--
-- The test. For leads in the order in which they entered, the average over bets l of product(1 + l
-- * (x - p0)), x = 1 for a conversion, is a test martingale: if the rate is p0 it ever reaches
-- 1/alpha with probability alpha at most (Ville 1939; Waudby-Smith and Ramdas 2024). Bets are in
-- macros/plan/drift.sql.
--
-- The order. Leads settle in another order than that in which they entered, and those who leave
-- fast would count before those who convert slowly. So for every prefix of the order of entry its
-- value is taken with all who wait counting for the plan. That is at most what the prefix is worth
-- once all have settled, and it only grows while they settle; so the largest over all prefixes may
-- be held against 1/alpha at any time, covers every earlier look, and raises no more false alarms
-- than the martingale itself, whatever the order, the delays and the batches in which leads
-- settle. A prefix ends with an hour of entry: within one, the order of rows is the source's. The
-- hour that is not over yet is none, so that what was seen once is seen ever after.

{% set directions = ["behind", "ahead"] %}

with

outcomes as (

    select * from {{ ref("int_drift__outcome") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

-- Summed lead by lead: a window ends with the last lead of the hour and rate, so that sums by hour
-- need not be made first.
leads as (

    select
        cohort_number,
        rate,
        cast(date_trunc('hour', entered_at) as timestamp) as entered_hour_at,
        1 as entered,
        case when is_converted then 1 else 0 end as converted,
        case when settled_at is not null and not is_converted then 1 else 0 end as failed
    from outcomes

),

steps as (

    select
        cohort_number,
        rate,
        {%- for direction, against in [("behind", "failed"), ("ahead", "converted")] %}
        {%- for bet, weight in drift_bets(direction) %}
        {{ drift_step(direction, bet, "rate", "entered", against) }}
            as {{ direction }}_step_{{ loop.index }},
        {%- endfor %}
        {%- endfor %}
        entered_hour_at
    from leads

),

-- Of each prefix the sums of logarithms.
prefixes as (

    select
        cohort_number,
        {%- for direction in directions %}
        {%- for bet in drift_bets(direction) %}
        sum({{ direction }}_step_{{ loop.index }}) over so_far as {{ direction }}_{{ loop.index }},
        {%- endfor %}
        {%- endfor %}
        entered_hour_at
    from steps
    window
        so_far as (
            partition by cohort_number
            order by entered_hour_at, rate
        )

),

most as (

    select
        {%- for direction in directions %}
        max(
            case
                when prefixes.entered_hour_at + interval '1' hour <= run_parameter.as_of
                    then {{ drift_evidence(direction, "prefixes." ~ direction) }}
            end
        ) as max_{{ direction }}_evidence,
        {%- endfor %}
        prefixes.cohort_number
    from prefixes
    cross join run_parameter
    group by prefixes.cohort_number

),

rates as (

    select
        cohort_number,
        rate,
        max(version) as version,
        count(*) as entered,
        count(settled_at) as matured,
        count(case when is_converted then 1 end) as converted,
        max(case when is_committed then 1 else 0 end) as committed,
        max(case when is_awaited_late then 1 else 0 end) as awaited_late
    from outcomes
    group by cohort_number, rate

),

totals as (

    select
        cohort_number,
        max(version) as plan_version,
        {{ exact_sum("entered") }} as entered,
        {{ exact_sum("matured") }} as matured,
        {{ exact_sum("converted") }} as converted,
        sum(cast(rate as decimal(10, 9)) * entered) as expected_conversions,
        {%- for direction, against in [
            ("behind", "(matured - converted)"), ("ahead", "converted")
        ] %}
        {%- for bet, weight in drift_bets(direction) %}
        sum({{ drift_step(direction, bet, "rate", "entered", against) }})
            as {{ direction }}_{{ loop.index }},
        {%- endfor %}
        {%- endfor %}
        max(committed) = 1 as is_committed,
        max(awaited_late) = 1 as is_awaited_late
    from rates
    group by cohort_number

),

final as (

    select
        -- ids
        totals.cohort_number,
        totals.plan_version,
        -- numbers
        totals.entered,
        totals.matured,
        totals.converted,
        cast(totals.expected_conversions as double) / totals.entered as expected_rate,
        {%- for direction in directions %}
        {{ drift_evidence(direction, "totals." ~ direction) }} as {{ direction }}_evidence,
        -- Before anybody entered it was 1.
        greatest(coalesce(most.max_{{ direction }}_evidence, 1), 1)
            as max_{{ direction }}_evidence,
        {%- endfor %}
        -- booleans
        totals.is_committed,
        totals.is_awaited_late
    from totals
    inner join most on totals.cohort_number = most.cohort_number

)

select * from final
