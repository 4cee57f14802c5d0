{# The test martingale of rpt_drift__cohort_transition. #}

{# Of each bet what failures add to the logarithm of the evidence, beyond what everybody adds by
   entering; in whole hundred-millionths. Columns `is_converted` and `odds`, p0 / (1 - p0). #}
{% macro failure_sums(bets) -%}
    {%- for bet in bets %}
        sum(
            case
                when is_converted then cast(0 as double)
                else cast(round(1e8 * (ln(1 + {{ bet }} * odds) - ln(1 - {{ bet }})), 0) as double)
            end
        ) as failures_{{ loop.index }},
    {%- endfor %}
{%- endmacro %}

{# The same up to each row of the window `so_far`. #}
{% macro running_failures(bets) -%}
    {%- for bet in bets %}
        sum(failures_{{ loop.index }}) over so_far as failures_{{ loop.index }},
    {%- endfor %}
{%- endmacro %}

{# The evidence: the average over the bets. exp() must not overflow; what is shown ends far
   below. #}
{% macro martingale(bets, entered) -%}
    (
        {%- for bet in bets %}
        exp(least(failures_{{ loop.index }} / 1e8 + {{ entered }} * ln(1 - {{ bet }}), 50))
        {{- " +" if not loop.last }}
        {%- endfor %}
    ) / {{ bets | length }}
{%- endmacro %}
