{# Shares of a whole by weight, in whole numbers. `whole` is from 0 to below `weights`, `weight` from 0
   to `weights`, which is above 0. Below the bound, the product fits a bigint; above it, wider and much
   slower arithmetic is needed. #}

{% macro share_bound() -%} 3000000000 {%- endmacro %}

{# `whole × weight / weights`, rounded down. #}
{% macro share_floor(whole, weight, weights) -%}
    case
        when {{ weights }} <= {{ share_bound() }}
            then {{ exact_quotient(
                "cast(" ~ whole ~ " as bigint) * cast(" ~ weight ~ " as bigint)", weights
            ) }}
        else cast({{ whole_share(whole, weight, weights) }} as bigint)
    end
{%- endmacro %}

{# What that leaves: from 0 to below `weights`. #}
{% macro share_remainder(whole, weight, weights) -%}
    case
        when {{ weights }} <= {{ share_bound() }}
            then (cast({{ whole }} as bigint) * cast({{ weight }} as bigint)) % ({{ weights }})
        else {{ wide_remainder(whole, weight, weights) }}
    end
{%- endmacro %}

{# Remainder of a product that may be beyond bigint. #}
{% macro wide_remainder(whole, weight, weights) -%}
    {{ return(adapter.dispatch("wide_remainder", "tieout")(whole, weight, weights)) }}
{%- endmacro %}

{# Spark: decimals of 38 digits have a remainder. #}
{% macro default__wide_remainder(whole, weight, weights) -%}
    cast(
        (cast({{ whole }} as decimal(19, 0)) * cast({{ weight }} as decimal(19, 0)))
        % cast({{ weights }} as decimal(19, 0)) as bigint
    )
{%- endmacro %}

{# DuckDB: that of decimals is floating point. #}
{% macro duckdb__wide_remainder(whole, weight, weights) -%}
    cast(
        (cast({{ whole }} as hugeint) * cast({{ weight }} as hugeint))
        % cast({{ weights }} as hugeint) as bigint
    )
{%- endmacro %}

{# An instant some days of 24 hours earlier; the days may be a column. #}
{% macro days_before(instant, days) -%}
    {{ return(adapter.dispatch("days_before", "tieout")(instant, days)) }}
{%- endmacro %}

{# Instants have no zone, so a day has 24 hours. #}
{% macro default__days_before(instant, days) -%}
    ({{ instant }} - ({{ days }}) * interval '1' day)
{%- endmacro %}

{# Spark: an interval cannot be multiplied by a column of bigint. #}
{% macro spark__days_before(instant, days) -%}
    timestampadd(day, -cast({{ days }} as int), {{ instant }})
{%- endmacro %}
