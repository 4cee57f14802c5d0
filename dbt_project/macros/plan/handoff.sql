{# From how many leads of one feed created in one second on they were imported. Law G3 has its own. #}
{% macro bulk_leads() -%} 10 {%- endmacro %}
