{# Windows: engines disagree on where `ignore nulls` stands. #}

{# The last value up to this row that is known; the caller adds the ordered `over (…)`. #}
{% macro last_known(expression) -%}
    {{ return(adapter.dispatch("last_known", "tieout")(expression)) }}
{%- endmacro %}

{# DuckDB: within the brackets. #}
{% macro default__last_known(expression) -%}
    last_value({{ expression }} ignore nulls)
{%- endmacro %}

{# Spark: a second argument. #}
{% macro spark__last_known(expression) -%}
    last_value({{ expression }}, true)
{%- endmacro %}
