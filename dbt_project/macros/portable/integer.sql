{# Whole-number arithmetic: engines disagree on integer division and on the type of a sum. #}

{# Quotient of two whole numbers, exact; the caller makes sure that it divides without remainder. #}
{% macro exact_quotient(dividend, divisor) %}
    {{- return(adapter.dispatch("exact_quotient", "tieout")(dividend, divisor)) -}}
{% endmacro %}

{% macro default__exact_quotient(dividend, divisor) -%}
    (({{ dividend }}) / ({{ divisor }}))
{%- endmacro %}

{# DuckDB: `/` is floating point and loses cents above 2^53. #}
{% macro duckdb__exact_quotient(dividend, divisor) -%}
    (({{ dividend }}) // ({{ divisor }}))
{%- endmacro %}

{# Spark: `/` is floating point; `div` is whole. #}
{% macro spark__exact_quotient(dividend, divisor) -%}
    (({{ dividend }}) div ({{ divisor }}))
{%- endmacro %}

{# Remainder that is never negative, for a positive divisor: -7 by 2 leaves 1. #}
{% macro floor_mod(dividend, divisor) -%}
    (((({{ dividend }}) % ({{ divisor }})) + ({{ divisor }})) % ({{ divisor }}))
{%- endmacro %}

{# Quotient rounded towards minus infinity, for a positive divisor: -7 by 2 is -4. #}
{% macro floor_div(dividend, divisor) -%}
    {{ exact_quotient("(" ~ dividend ~ ") - " ~ floor_mod(dividend, divisor), divisor) }}
{%- endmacro %}

{# Share of one of `parts` equal claims on `total` by largest remainder: all remainders are equal,
   so the first `total mod parts` in rank order (from 0) get one unit more. Adds up to `total`. #}
{% macro equal_share(total, parts, rank) -%}
    ({{ floor_div(total, parts) }}
    + case when {{ rank }} < {{ floor_mod(total, parts) }} then 1 else 0 end)
{%- endmacro %}

{# Sum of whole numbers as bigint: DuckDB widens to hugeint, PostgreSQL to numeric. #}
{% macro exact_sum(expression) -%}
    cast(sum({{ expression }}) as bigint)
{%- endmacro %}

{# Ten to a small whole power, as an exact decimal: `power()` is floating point. #}
{% macro power_of_ten(exponent) -%}
    case {{ exponent }}
        when -4 then 0.0001
        when -3 then 0.001
        when -2 then 0.01
        when -1 then 0.1
        when 0 then 1
        when 1 then 10
        when 2 then 100
        when 3 then 1000
        when 4 then 10000
    end
{%- endmacro %}

{# `total × part / whole` of whole numbers, rounded towards zero, as decimal(38, 0): exact also where
   the product is beyond bigint. `whole` is not 0. #}
{% macro whole_share(total, part, whole) -%}
    {{ return(adapter.dispatch("whole_share", "tieout")(total, part, whole)) }}
{%- endmacro %}

{% macro default__whole_share(total, part, whole) -%}
    trunc(cast({{ total }} as decimal(38, 0)) * ({{ part }}) / ({{ whole }}))
{%- endmacro %}

{# DuckDB: the quotient of decimals is floating point; hugeint has a whole one. #}
{% macro duckdb__whole_share(total, part, whole) -%}
    cast(
        (cast({{ total }} as hugeint) * cast({{ part }} as hugeint))
        // cast({{ whole }} as hugeint)
        as decimal(38, 0)
    )
{%- endmacro %}

{# Spark: `/` rounds to the digits that are left; `div` is whole. #}
{% macro spark__whole_share(total, part, whole) -%}
    cast(
        (cast({{ total }} as decimal(38, 0)) * ({{ part }})) div ({{ whole }}) as decimal(38, 0)
    )
{%- endmacro %}

{# A number divided by a whole one, to nine digits, rounded towards zero; null if that one is 0. #}
{% macro quotient(dividend, divisor) -%}
    cast(
        {{ whole_share(
            "cast(" ~ dividend ~ " as decimal(38, 9)) * 1000000000", 1, "nullif(" ~ divisor ~ ", 0)"
        ) }} * 0.000000001
        as decimal(38, 9)
    )
{%- endmacro %}

{# Running total of whole numbers, nothing where there is none, as bigint. #}
{% macro running_total(expression, key, order) -%}
    cast(
        sum(coalesce({{ expression }}, 0)) over (partition by {{ key }} order by {{ order }})
        as bigint
    )
{%- endmacro %}
