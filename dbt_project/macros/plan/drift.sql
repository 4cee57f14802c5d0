{# The test martingales of drift: `behind` is evidence that a rate is below the plan's, `ahead` that
   it is above. What the bets are and why: docs/decisions.md.

   Both are likelihood ratios against the planned rate p0. Behind: of p0 * (1 - bet), so that a lead
   that converted or waits multiplies by 1 - bet and one that failed by 1 + bet * p0 / (1 - p0).
   Ahead: of the rate whose odds are `bet` times the planned ones, so that a lead that failed or
   waits multiplies by 1 / (1 + p0 * (bet - 1)) and one that converted by `bet` times that.

   Logarithms are summed in whole hundred-millionths, which floating point adds exactly, so that the
   order of adding changes nothing. This is evidence, not money; a million to one is shown for
   anything beyond. #}

{# The chance of a false alarm, per cohort and direction, ever. #}
{% macro drift_alpha() -%} 0.01 {%- endmacro %}

{# The instant of an alarm is found in so many rounds, each of which leaves one of so many parts. #}
{% macro drift_rounds() -%}
    {{ return(7) }}
{%- endmacro %}

{% macro drift_parts() -%}
    {{ return(8) }}
{%- endmacro %}

{# The share of discoveries that may be false (e-BH). #}
{% macro drift_alpha_fdr() -%} 0.05 {%- endmacro %}

{# Bets and their weights. #}
{% macro drift_bets(direction) %}
    {{ return({
        "behind": [(0.15, 2), (0.4, 2), (0.85, 5)],
        "ahead": [(1.15, 2), (1.4, 2), (2.2, 3), (5.0, 4)],
    }[direction]) }}
{% endmacro %}

{# What some leads that are held to one rate add to the logarithm of a bet: all who entered, and of
   them those who settled against the plan's rate. `rate` is a decimal. A rate of one has no odds: it
   is tested as 99 percent, which is less. #}
{% macro drift_step(direction, bet, rate, entered, against) -%}
    {%- if direction == "behind" -%}
    {{ entered }} * cast(round(1e8 * ln(cast({{ 1 - bet }} as double)), 0) as double)
    + {{ against }} * cast(
        round(
            1e8 * (
                ln(
                    1 + {{ bet }} * cast(least({{ rate }}, 0.99) as double)
                    / (1 - cast(least({{ rate }}, 0.99) as double))
                ) - ln(cast({{ 1 - bet }} as double))
            ), 0
        ) as double
    )
    {%- else -%}
    {{ against }} * cast(round(1e8 * ln(cast({{ bet }} as double)), 0) as double)
    - {{ entered }} * cast(
        round(1e8 * ln(1 + cast({{ rate }} as double) * {{ bet - 1 }}), 0) as double
    )
    {%- endif -%}
{%- endmacro %}

{# The evidence: the weighted average over the bets, from `columns`_1, …, named for the
   direction. exp() must
   not overflow; what is shown ends far below. #}
{% macro drift_evidence(direction, columns) -%}
    {%- set bets = drift_bets(direction) -%}
    (
        {%- for bet, weight in bets %}
        {{ weight }} * exp(least({{ columns }}_{{ loop.index }} / 1e8, 50))
        {{- " +" if not loop.last }}
        {%- endfor %}
    ) / {{ bets | map(attribute=1) | sum }}
{%- endmacro %}

{# What is left of a running maximum of evidence when it is used as an e-value: the average of
   k * m^(1 - k) over k from 0 to 1 (Shafer, Shen, Vereshchagin and Vovk 2011). `maximum` is 1 or
   more; at 1 the quotient has no value and its limit is 1/2. #}
{% macro adjusted_maximum(maximum) -%}
    case
        when {{ maximum }} < 1.001 then 0.5
        else ({{ maximum }} - 1 - ln({{ maximum }})) / (ln({{ maximum }}) * ln({{ maximum }}))
    end
{%- endmacro %}

{# As it is published; null stays null (`least` leaves out what is unknown). #}
{% macro shown_evidence(evidence) -%}
    cast(
        case when {{ evidence }} is not null then least({{ evidence }}, 1000000) end
        as decimal(18, 6)
    )
{%- endmacro %}
