{# Text: engines disagree on regexp_replace (first match or all), trim and ordered string_agg. #}

{# What two spellings of one name have in common: lower case; spaces, `_`, `-`, `+`, `.` and the `%20`
   of a URL are one `_`, and none at the ends. Empty becomes null. #}
{% macro match_key(text) -%}
    {{ return(adapter.dispatch("match_key", "tieout")(text)) }}
{%- endmacro %}

{# DuckDB: the flag g, or only the first run would be replaced. #}
{% macro default__match_key(text) -%}
    nullif(trim(regexp_replace(lower({{ text }}), '(%20|[\s_+.-])+', '_', 'g'), '_'), '')
{%- endmacro %}

{# Spark: replaces all by itself, needs the backslash twice, and trims with `both from`. #}
{% macro spark__match_key(text) -%}
    nullif(
        trim(both '_' from regexp_replace(lower({{ text }}), '(%20|[\\s_+.-])+', '_')), ''
    )
{%- endmacro %}

{# The domain of an e-mail address in lower case; null without one. #}
{% macro email_domain(email) -%}
    nullif(split_part(lower(trim({{ email }})), '@', 2), '')
{%- endmacro %}

{# Keyed hash of an e-mail address, null without one. The inner hash is keyed too, so that neither
   can be looked up in a table of known addresses. #}
{% macro person_hash(key, email) -%}
    {{ return(adapter.dispatch("person_hash", "tieout")(key, email)) }}
{%- endmacro %}

{# DuckDB: sha256() gives lower-case hexadecimal text. #}
{% macro default__person_hash(key, email) -%}
    sha256({{ key }} || sha256({{ key }} || nullif(lower(trim({{ email }})), '')))
{%- endmacro %}

{# Spark: the function is sha2, and the length is an argument. #}
{% macro spark__person_hash(key, email) -%}
    sha2(
        concat({{ key }}, sha2(concat({{ key }}, nullif(lower(trim({{ email }})), '')), 256)), 256
    )
{%- endmacro %}

{# The values of a group as one text, `1, 2`, in their own order. #}
{% macro ordered_list(expression) -%}
    {{ return(adapter.dispatch("ordered_list", "tieout")(expression)) }}
{%- endmacro %}

{% macro default__ordered_list(expression) -%}
    string_agg(cast({{ expression }} as varchar), ', ' order by {{ expression }})
{%- endmacro %}

{# Spark: no order within string_agg before 4.0. #}
{% macro spark__ordered_list(expression) -%}
    array_join(sort_array(collect_list({{ expression }})), ', ')
{%- endmacro %}
