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

{# What stands behind `as` where a CTE is to be computed by itself. DuckDB (1.5) writes one that is read
   once into its reader, and planning a chain of seven takes minutes then. #}
{% macro materialized() -%}
    {{ return(adapter.dispatch("materialized", "tieout")()) }}
{%- endmacro %}

{% macro default__materialized() -%}
    materialized
{%- endmacro %}

{# Spark: no such word; it plans such chains as they are. #}
{% macro spark__materialized() -%}
{%- endmacro %}
