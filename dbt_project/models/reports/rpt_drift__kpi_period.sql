-- Do volumes and money keep to the plan's curve? The verdict on each KPI of each period.
-- Grain: metric, period, scope; volumes, spend and the size of deals, of every period that has
-- begun. Rates: the report rpt_drift__cohort_transition.
-- A period of which no day is known yet has its row too, with a verdict and no evidence: a KPI
-- that is not there would read as if nobody had planned it.
--
-- Counts, pipeline and bookings. Leads arrive one by one at the curve's pace, so that exp(-(q - 1)
-- * due) * q^done is a test martingale for each q (the likelihood ratio of q times the pace); the
-- average over fixed q is `evidence`, q < 1 that it is behind, q > 1 ahead. Leads come in lots and
-- deals differ in size: each day's logarithm is divided by the dispersion of the days before it,
-- which keeps it a test martingale for lots of any size (docs/decisions.md). The size of deals.
-- For amounts that are not negative and vary no more than their mean (standard deviation), exp(l *
-- (deals - worth) - l^2 * deals) with worth in planned deals is one; it looks for smaller deals
-- only. Spend is decided, not drawn: a band, the plan's tolerance, from the day on which the plan
-- holds anybody to it. Days that are not wholly delivered are not judged: silence of a late feed
-- is no shortfall.

{% set paces = {"behind": [0.25, 0.5, 0.7, 0.85], "ahead": [1.15, 1.4, 2.0, 3.0]} %}
{% set shrinkings = [0.1, 0.15, 0.25, 0.4] %}

with

steps as (

    select * from {{ ref("int_drift__kpi_day") }}

),

days as (

    select * from {{ ref("int_plan__kpi_day") }}
    where metric = 'budget'

),

periods as (

    select * from {{ ref("int_plan_vs_actual__kpi_period") }}

),

feeds as (

    select * from {{ ref("int_drift__feed") }}

),

kpis as (

    select * from {{ ref("kpis") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

running as (

    select
        period,
        scope,
        metric,
        day,
        is_late,
        dispersion,
        {%- for direction in paces %}
        {%- for pace in paces[direction] %}
        {%- set shrinking = shrinkings[loop.index0] %}
        sum(
            round(
                case
                    when metric <> 'acv'
                        then ({{ 1 - pace }} * due + ln({{ pace }}) * done) / dispersion
                    {%- if direction == "behind" %}
                    else {{ shrinking }} * (due - done) - {{ shrinking * shrinking }} * due
                    {%- else %}
                    else -50
                    {%- endif %}
                end * 1e8, 0
            )
        ) over so_far as {{ direction }}_{{ loop.index }},
        {%- endfor %}
        {%- endfor %}
        sum(round(due * 1000000, 0)) over so_far / 1000000 as due,
        sum(round(done * 1000000, 0)) over so_far / 1000000 as done
    from steps
    window
        so_far as (
            partition by period, scope, metric
            order by day
            rows between unbounded preceding and current row
        )

),

valued as (

    select
        period,
        scope,
        metric,
        is_late,
        dispersion,
        due,
        done,
        {%- for direction in paces %}
        (
            {%- for pace in paces[direction] %}
            exp(least({{ direction }}_{{ loop.index }} / 1e8, 50)){{ " +" if not loop.last }}
            {%- endfor %}
        ) / {{ paces[direction] | length }} as {{ direction }},
        {%- endfor %}
        day
    from running

),

tested as (

    select
        period,
        scope,
        metric,
        max(day) as known_to_date,
        max(due) as due,
        max_by(done, day) as done,
        max_by(dispersion, day) as dispersion,
        max(case when is_late then 1 else 0 end) = 1 as is_late,
        max_by(behind, day) as evidence,
        greatest(max(behind), 1) as max_evidence,
        max_by(ahead, day) as ahead_evidence,
        greatest(max(ahead), 1) as max_ahead_evidence,
        min(case when behind >= 1 / {{ drift_alpha() }} then day end) as alarmed_on,
        min(case when ahead >= 1 / {{ drift_alpha() }} then day end) as ahead_on
    from valued
    group by period, scope, metric

),

-- Spend has dates and no times: the newest of a late feed is the last that is known. The day of
-- as_of is not over.
spend_feeds as (

    select
        coalesce(max(case when is_late then 1 else 0 end), 0) = 1 as is_late,
        min(case when is_late then cast(complete_until as date) end) as last_day
    from feeds
    where entity = 'spend'

),

spend_known as (

    select
        spend_feeds.is_late,
        spend_feeds.last_day,
        {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }} as as_of_date
    from spend_feeds
    cross join run_parameter

),

-- Outside on its last day; since the day after it was last inside.
banded as (

    select
        days.period,
        days.scope,
        days.metric,
        spend_known.is_late,
        max(days.day) as known_to_date,
        max(case when not days.is_outside_tolerance then days.day end) as last_inside_on,
        min(days.day) as first_on,
        max_by(days.numerator, days.day) as done,
        max_by(days.expected_value, days.day) as due,
        max_by(case when days.is_outside_tolerance then 1 else 0 end, days.day) = 1 as is_outside
    from days
    cross join spend_known
    where
        days.day < spend_known.as_of_date
        and (spend_known.last_day is null or days.day <= spend_known.last_day)
    group by days.period, days.scope, days.metric, spend_known.is_late

),

judged as (

    select
        period,
        scope,
        metric,
        known_to_date,
        dispersion,
        evidence,
        max_evidence,
        ahead_evidence,
        max_ahead_evidence,
        alarmed_on,
        ahead_on,
        is_late,
        -- So many are due that a loss of 30 percent would have shown itself.
        case
            when metric = 'acv' then due * 0.0225
            else due * (1 - 0.7 + 0.7 * ln(0.7)) / dispersion
        end >= 1.3 * ln(1 / {{ drift_alpha() }}) as is_telling
    from tested

    union all

    select
        banded.period,
        banded.scope,
        banded.metric,
        banded.known_to_date,
        cast(null as double) as dispersion,
        cast(null as double) as evidence,
        cast(null as double) as max_evidence,
        cast(null as double) as ahead_evidence,
        cast(null as double) as max_ahead_evidence,
        case
            when banded.is_outside and banded.done < banded.due
                then coalesce({{ add_days("banded.last_inside_on", 1) }}, banded.first_on)
        end as alarmed_on,
        case
            when banded.is_outside and banded.done >= banded.due
                then coalesce({{ add_days("banded.last_inside_on", 1) }}, banded.first_on)
        end as ahead_on,
        banded.is_late,
        periods.has_passed and periods.tolerance_pct is not null as is_telling
    from banded
    inner join periods
        on
            banded.period = periods.period
            and banded.scope = periods.scope
            and banded.metric = periods.metric

),

late_entities as (

    select distinct entity
    from feeds
    where is_late

),

begun as (

    select
        periods.*,
        case
            when periods.metric = 'budget' then 'spend'
            when kpis.to_stage in ('lead', 'mql', 'sal', 'sql') then 'lead'
            else 'opportunity'
        end as entity
    from periods
    inner join kpis on periods.metric = kpis.metric
    cross join spend_known
    where
        periods.kind in ('volume', 'price')
        and periods.metric <> 'cost_per_lead'
        and periods.period_start_date <= spend_known.as_of_date

),

final as (

    select
        -- text
        periods.metric,
        periods.period,
        periods.scope,
        case when periods.metric = 'budget' then 'band' else 'evidence' end as method,
        case
            when judged.alarmed_on is not null then 'behind'
            when judged.ahead_on is not null then 'ahead'
            when coalesce(judged.is_late, late_entities.entity is not null) then 'late data'
            when judged.is_telling then 'believable'
            else 'cannot tell yet'
        end as verdict,
        periods.owner,
        -- numbers
        periods.plan_due_value as plan_to_date_value,
        {{ actual_value("periods") }} as actual_value,
        {{ shown_evidence("judged.evidence") }} as evidence,
        {{ shown_evidence("judged.max_evidence") }} as max_evidence,
        {{ shown_evidence("judged.ahead_evidence") }} as ahead_evidence,
        {{ shown_evidence("judged.max_ahead_evidence") }} as max_ahead_evidence,
        cast(judged.dispersion as decimal(18, 6)) as dispersion,
        -- booleans
        judged.alarmed_on is not null as is_alarm,
        judged.ahead_on is not null as is_ahead,
        -- times
        periods.period_start_date,
        periods.period_end_date,
        judged.known_to_date,
        judged.alarmed_on,
        judged.ahead_on
    from begun as periods
    left join judged
        on
            periods.period = judged.period
            and periods.scope = judged.scope
            and periods.metric = judged.metric
    left join late_entities on periods.entity = late_entities.entity

)

select * from final
