{# The cohort's calendar, from the company's days (stg_landed__calendar_day). A day that is not in
   it takes the calendar's own week, month or quarter. #}

{# First day of the cohort's period; `calendar` is the alias of the day's row, which may be missing.
   `campaign_start` counts where the period is the campaign's whole flight; a campaign without one
   falls back to its months. #}
{% macro cohort_start(date_expr, period_expr, campaign_start_expr, calendar="calendar_days") -%}
    case {{ period_expr }}
        when 'day' then {{ date_expr }}
        when 'week' then {{ period_start("week", date_expr, calendar) }}
        when 'quarter' then {{ period_start("quarter", date_expr, calendar) }}
        when 'campaign'
            then coalesce(
                {{ campaign_start_expr }}, {{ period_start("month", date_expr, calendar) }}
            )
        else {{ period_start("month", date_expr, calendar) }}
    end
{%- endmacro %}

{# First day after the cohort's period; `calendar` is the alias of the row of its first day. #}
{% macro cohort_end(
    start_expr, period_expr, campaign_start_expr, campaign_end_expr, calendar="calendar_days"
) -%}
    case {{ period_expr }}
        when 'day' then cast({{ start_expr }} + interval '1' day as date)
        when 'week' then {{ period_end("week", start_expr, calendar) }}
        when 'quarter' then {{ period_end("quarter", start_expr, calendar) }}
        when 'campaign'
            then case
                when {{ campaign_start_expr }} is null
                    then {{ period_end("month", start_expr, calendar) }}
                else cast({{ campaign_end_expr }} + interval '1' day as date)
            end
        else {{ period_end("month", start_expr, calendar) }}
    end
{%- endmacro %}

{# First day of the week, month or quarter of a day. Engines disagree on the type of a truncated
   date: always cast back. #}
{% macro period_start(period, date_expr, calendar="calendar_days") -%}
    coalesce(
        {{ calendar }}.{{ period }}_start, cast(date_trunc('{{ period }}', {{ date_expr }}) as date)
    )
{%- endmacro %}

{# First day after the week, month or quarter that begins on a day. #}
{% macro period_end(period, start_expr, calendar="calendar_days") -%}
    {%- set length = {"week": "'7' day", "month": "'1' month", "quarter": "'3' month"}[period] -%}
    coalesce(
        {{ calendar }}.{{ period }}_end, cast({{ start_expr }} + interval {{ length }} as date)
    )
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
