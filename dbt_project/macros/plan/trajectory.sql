{# The constants and formulas of the trajectory (models/intermediate/trajectory). Floating point: a
   forecast is an estimate, never money in the books. Sums are taken over whole numbers, so that the
   order of adding changes nothing. #}

{# Days back from as_of in which actuals are held against what was expected: eight weeks. #}
{% macro level_days() -%} 56 {%- endmacro %}

{# Days back over which actuals are held against what was expected, week by week: 24 weeks. #}
{% macro scatter_days() -%} 168 {%- endmacro %}

{# How far a level may walk in a week (the variance of its logarithm), and how much that is believed
   before there is data: by 1.4 to 90 percent in eight weeks, large walks less and less. Without data it
   is the mean of their logarithms. #}
{% macro prior_wanders() -%}
    {{ return([("0.000025", "0.35"), ("0.0001", "0.3"), ("0.0004", "0.17"), ("0.0016", "0.09"),
               ("0.0064", "0.05"), ("0.0256", "0.03"), ("0.1024", "0.01")]) }}
{%- endmacro %}
{% macro prior_wander() -%} 0.00016 {%- endmacro %}

{# Days back for which entries are history. #}
{% macro history_days() -%} 730 {%- endmacro %}

{# Steps from the first stage of the funnel to its last: how many int_trajectory__reach puts one after
   the other, before it can know the stages. A test holds it against the seed `stages`: of a longer
   funnel the longest ways would be left out without a word. #}
{% macro funnel_steps() -%}
    {{ return(7) }}
{%- endmacro %}

{# What is believed before there is data, in entrants, events or weeks. The plan's own rate weighs as
   much as five entrants; a level of 1 (as the curve or the plan says) as much as five events for the
   company, and the company's level as much as ten for a scope; ordinary (Poisson) scatter as much
   as two weeks. #}
{% macro prior_entrants() -%} 5 {%- endmacro %}
{% macro prior_events() -%} 5 {%- endmacro %}
{% macro prior_scope_events() -%} 10 {%- endmacro %}
{% macro prior_weeks() -%} 2 {%- endmacro %}
{% macro prior_deals() -%} 5 {%- endmacro %}

{# What a week's count scatters by before there is data: as a Poisson count, or by 14 percent of a
   week's spend. #}
{% macro prior_scatter() -%}
    case
        when stream = 'budget' then 0.02 * {{ steady_sum("fitted") }} / count(*)
        else 1
    end
{%- endmacro %}

{# A sum of floating-point figures that does not depend on their order: in whole billionths, up to
   1e29. #}
{% macro steady_sum(expression) -%}
    cast(sum(cast({{ expression }} as decimal(38, 9))) as double)
{%- endmacro %}

{# The same for squares of money, beyond bigint: in whole units. #}
{% macro steady_sum_of_squares(expression) -%}
    cast(
        sum(
            cast(cast(round({{ expression }}, 0) as decimal(18, 0)) as decimal(38, 0))
            * cast(round({{ expression }}, 0) as decimal(18, 0))
        ) as double
    )
{%- endmacro %}

{# The same over a window. #}
{% macro steady_running(expression, frame) -%}
    cast(sum(cast({{ expression }} as decimal(38, 9))) over {{ frame }} as double)
{%- endmacro %}

{# The relative variance that wandering gives the mean level of so many days to come: that of the
   mean of a random walk, a third of its variance at the end. #}
{% macro wander_until(wander, days) -%}
    {{ wander }} * {{ days }} / 21.0
{%- endmacro %}

{# The share of the day of as_of that is still to come, in the reporting time zone. #}
{% macro rest_of_day(run) -%}
    greatest(
        least(
            {{ seconds_between(
                run ~ ".as_of",
                local_to_utc(
                    "cast(" ~ add_days(run ~ ".as_of_date", "1") ~ " as timestamp)",
                    run ~ ".time_zone",
                ),
            ) }} / 86400.0, 1
        ), 0
    )
{%- endmacro %}

{# Quantile of what is still to come, a gamma distribution of that mean and variance by Wilson and
   Hilferty (1931): never negative, skewed where little is to come. `z` is the normal quantile. #}
{% macro gamma_quantile(mean, variance, z) -%}
    case
        when {{ mean }} <= 0 then 0
        when {{ variance }} <= 0 then {{ mean }}
        else {{ mean }} * power(
            greatest(
                1 - {{ variance }} / (9 * {{ mean }} * {{ mean }})
                + {{ z }} * sqrt({{ variance }}) / (3 * {{ mean }}),
                0
            ),
            3
        )
    end
{%- endmacro %}

{# A quantile of a count is a whole number: the one whose half up and down the quantile falls into. #}
{% macro whole_if(is_count, quantile) -%}
    case when {{ is_count }} then round({{ quantile }}, 0) else {{ quantile }} end
{%- endmacro %}

{# Fewer settled entries than this say nothing: the plan's own rate, which counts as five, would speak.
   Of leads, spend and their quotient: fewer days. #}
{% macro least_cohort(metric) -%}
    case when {{ metric }} in ('budget', 'cost_per_lead', 'leads') then 10 else 5 end
{%- endmacro %}

{# An estimate as it is published: money in whole minor units, else six digits. #}
{% macro published_estimate(value, unit) -%}
    case
        when {{ unit }} = 'minor' then cast(round({{ value }}, 0) as decimal(38, 9))
        else cast(round({{ value }}, 6) as decimal(38, 9))
    end
{%- endmacro %}

{# A percentage in words: one digit, without a sign. #}
{% macro percent_text(value) -%}
    cast(cast(round(abs({{ value }}), 1) as decimal(18, 1)) as varchar) || ' %'
{%- endmacro %}

{# The same with its side of the plan. #}
{% macro side_text(value) -%}
    {{ percent_text(value) }} || case when {{ value }} < 0 then ' below' else ' above' end
{%- endmacro %}
