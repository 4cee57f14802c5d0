-- When the evidence against a cohort's rate first reached 1/alpha, and how many had settled by
-- then.
-- Grain: cohort_number, direction (behind, ahead); only cohorts that have raised an alarm.
-- What has settled by an instant only grows, and with it the largest evidence over all prefixes
-- (int_drift__evidence): the first instant at which it is enough is looked for among the instants
-- at which somebody settled against the rate, for all cohorts at once: each round tries eight of
-- those that are left and keeps the eighth that holds it. Seven rounds are enough for two million
-- instants; a cohort with more would be dated some leads too late.

{% set directions = ["behind", "ahead"] %}

with

evidence as (

    select * from {{ ref("int_drift__evidence") }}

),

outcomes as (

    select * from {{ ref("int_drift__outcome") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

alarmed as (

    {%- for direction in directions %}

    select
        cohort_number,
        '{{ direction }}' as direction
    from evidence
    where max_{{ direction }}_evidence >= 1 / {{ drift_alpha() }}

    {{ "union all" if not loop.last }}
    {%- endfor %}

),

leads as (

    select
        alarmed.cohort_number,
        alarmed.direction,
        outcomes.rate,
        outcomes.settled_at,
        cast(date_trunc('hour', outcomes.entered_at) as timestamp) as entered_hour_at,
        outcomes.settled_at is not null
        and outcomes.is_converted = (alarmed.direction = 'ahead') as is_against
    from alarmed
    inner join outcomes on alarmed.cohort_number = outcomes.cohort_number

),

steps as (

    select
        cohort_number,
        direction,
        entered_hour_at,
        rate,
        count(*) as entered
    from leads
    group by cohort_number, direction, entered_hour_at, rate

),

-- What a prefix is worth with nobody settled.
prefixes as (

    select
        steps.cohort_number,
        steps.direction,
        steps.entered_hour_at,
        steps.rate,
        {%- for number in range(1, drift_bets("ahead") | length + 1) %}
        sum(
            case steps.direction
                {%- for direction in directions %}
                {%- for bet, weight in drift_bets(direction) %}
                {%- if loop.index == number %}
                when '{{ direction }}'
                    then {{ drift_step(direction, bet, "steps.rate", "steps.entered", "0") }}
                {%- endif %}
                {%- endfor %}
                {%- endfor %}
            end
        ) over so_far as start_{{ number }},
        {%- endfor %}
        row_number() over so_far as prefix_number
    from steps
    window
        so_far as (
            partition by steps.cohort_number, steps.direction
            order by steps.entered_hour_at, steps.rate
            rows between unbounded preceding and current row
        )

),

-- Who settled against the rate, in the order of settling.
settled as (

    select
        leads.cohort_number,
        leads.direction,
        leads.entered_hour_at,
        leads.rate,
        leads.settled_at,
        count(*) as against,
        dense_rank() over (
            partition by leads.cohort_number, leads.direction
            order by leads.settled_at
        ) as instant_number
    from leads
    cross join run_parameter
    where
        leads.is_against
        and leads.entered_hour_at + interval '1' hour <= run_parameter.as_of
    group by
        leads.cohort_number,
        leads.direction,
        leads.entered_hour_at,
        leads.rate,
        leads.settled_at

),

strikes as (

    select
        prefixes.*,
        settled.instant_number,
        {%- for number in range(1, drift_bets("ahead") | length + 1) %}
        case settled.direction
            {%- for direction in directions %}
            {%- for bet, weight in drift_bets(direction) %}
            {%- if loop.index == number %}
            when '{{ direction }}'
                then {{ drift_step(direction, bet, "settled.rate", "0", "settled.against") }}
            {%- endif %}
            {%- endfor %}
            {%- endfor %}
        end as strike_{{ number }},
        {%- endfor %}
        settled.settled_at
    from settled
    inner join prefixes
        on
            settled.cohort_number = prefixes.cohort_number
            and settled.direction = prefixes.direction
            and settled.entered_hour_at = prefixes.entered_hour_at
            and settled.rate = prefixes.rate

),

bounds_0 as (

    select
        cohort_number,
        direction,
        cast(1 as bigint) as low,
        max(instant_number) as high
    from strikes
    group by cohort_number, direction

),

numbers as (

    {%- for number in range(drift_parts()) %}

    select cast({{ number }} as bigint) as part
    {{ "union all" if not loop.last }}
    {%- endfor %}

),

-- Each round is read once by the next, so that an engine which writes CTEs out stays quick.
{% for round in range(1, drift_rounds() + 1) -%}
tried_{{ round }} as (

    select
        bounds.cohort_number,
        bounds.direction,
        bounds.low,
        bounds.high,
        case
            when bounds.high - bounds.low < {{ drift_parts() }} then bounds.low + numbers.part
            else bounds.low + {{ floor_div(
                "(bounds.high - bounds.low) * numbers.part", drift_parts()
            ) }}
        end as middle
    from bounds_{{ round - 1 }} as bounds
    inner join numbers
        on numbers.part = 0 or bounds.high - bounds.low > numbers.part

),

running_{{ round }} as (

    select
        tried.cohort_number,
        tried.direction,
        tried.low,
        tried.high,
        {%- for number in range(1, drift_bets("ahead") | length + 1) %}
        strikes.start_{{ number }} + sum(strikes.strike_{{ number }}) over so_far
            as total_{{ number }},
        {%- endfor %}
        tried.middle
    from tried_{{ round }} as tried
    left join strikes
        on
            tried.cohort_number = strikes.cohort_number
            and tried.direction = strikes.direction
            and tried.low < tried.high
            and tried.middle >= strikes.instant_number
    window
        so_far as (
            partition by tried.cohort_number, tried.direction, tried.middle
            order by strikes.prefix_number
        )

),

reached_{{ round }} as (

    select
        cohort_number,
        direction,
        low,
        high,
        middle,
        coalesce(
            max(
                case direction
                    when 'behind' then {{ drift_evidence("behind", "total") }}
                    else {{ drift_evidence("ahead", "total") }}
                end
            ) >= 1 / {{ drift_alpha() }},
            false
        ) as is_reached
    from running_{{ round }}
    group by cohort_number, direction, low, high, middle

),

bounds_{{ round }} as {{ materialized() }} (

    select
        cohort_number,
        direction,
        least(max(case when is_reached then low else middle + 1 end), high) as low,
        least(min(case when is_reached then middle end), high) as high
    from reached_{{ round }}
    group by cohort_number, direction, low, high

),

{% endfor -%}
dated as (

    select
        strikes.cohort_number,
        strikes.direction,
        max(strikes.settled_at) as alarmed_at
    from strikes
    inner join bounds_{{ drift_rounds() }} as bounds
        on
            strikes.cohort_number = bounds.cohort_number
            and strikes.direction = bounds.direction
            and strikes.instant_number = bounds.high
    group by strikes.cohort_number, strikes.direction

),

final as (

    select
        dated.cohort_number,
        dated.direction,
        count(*) as matured,
        dated.alarmed_at
    from dated
    inner join leads
        on
            dated.cohort_number = leads.cohort_number
            and dated.direction = leads.direction
            and dated.alarmed_at >= leads.settled_at
    group by dated.cohort_number, dated.direction, dated.alarmed_at

)

select * from final
