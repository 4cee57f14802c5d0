{# The cohort's calendar. Engines disagree on the type of a truncated date: always cast back. #}

{# First day of the cohort's period. `campaign_start` counts where the period is the campaign's
   whole flight; a campaign without one falls back to its months. #}
{% macro cohort_start(date_expr, period_expr, campaign_start_expr) -%}
    case {{ period_expr }}
        when 'day' then {{ date_expr }}
        when 'week' then cast(date_trunc('week', {{ date_expr }}) as date)
        when 'quarter' then cast(date_trunc('quarter', {{ date_expr }}) as date)
        when 'campaign'
            then coalesce(
                {{ campaign_start_expr }},
                cast(date_trunc('month', {{ date_expr }}) as date)
            )
        else cast(date_trunc('month', {{ date_expr }}) as date)
    end
{%- endmacro %}

{# First day after the cohort's period, by the calendar. #}
{% macro cohort_end(start_expr, period_expr, campaign_start_expr, campaign_end_expr) -%}
    case {{ period_expr }}
        when 'day' then cast({{ start_expr }} + interval '1' day as date)
        when 'week' then cast({{ start_expr }} + interval '7' day as date)
        when 'quarter' then cast({{ start_expr }} + interval '3' month as date)
        when 'campaign'
            then case
                when {{ campaign_start_expr }} is null
                    then cast({{ start_expr }} + interval '1' month as date)
                else cast({{ campaign_end_expr }} + interval '1' day as date)
            end
        else cast({{ start_expr }} + interval '1' month as date)
    end
{%- endmacro %}

{# A date some whole days later; the days may be a column. #}
{% macro add_days(date_expr, days) -%}
    {{ return(adapter.dispatch("add_days", "tieout")(date_expr, days)) }}
{%- endmacro %}

{% macro default__add_days(date_expr, days) -%}
    cast({{ date_expr }} + ({{ days }}) * interval '1' day as date)
{%- endmacro %}

{# Spark: an interval cannot be multiplied by a column of bigint. #}
{% macro spark__add_days(date_expr, days) -%}
    date_add({{ date_expr }}, cast({{ days }} as int))
{%- endmacro %}
