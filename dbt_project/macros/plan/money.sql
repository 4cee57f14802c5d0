{# Minor units of the target currency per minor unit of a currency. The rate is widened first: DuckDB
   multiplies decimals of up to 18 digits in 64 bits, and a rate of 100,000 would not fit. Thirteen
   digits hold every product of nine by four, so nothing is rounded here. #}
{% macro minor_rate(rate, exponent, target_exponent) -%}
    cast(
        cast({{ rate }} as decimal(20, 9))
        * cast({{ power_of_ten(target_exponent ~ " - " ~ exponent) }} as decimal(9, 4))
        as decimal(20, 13)
    )
{%- endmacro %}

{# Whole minor units at such a rate, rounded once, halves away from zero; null without a rate. Exact
   to 18 digits; what is larger is an error, never another number. The reporting currency itself, most
   of the rows, is left as it is. #}
{% macro at_minor_rate(amount_minor, minor_rate) -%}
    case
        when {{ minor_rate }} = 1 then cast({{ amount_minor }} as bigint)
        else cast(round(cast({{ amount_minor }} as decimal(18, 0)) * {{ minor_rate }}, 0) as bigint)
    end
{%- endmacro %}

{# Whole minor units of one currency in those of another: the one place where money is converted.
   What is in the target's own currency needs no arithmetic: most amounts are, and wide decimals are
   slow. #}
{% macro converted_minor(amount_minor, rate, exponent, target_exponent) -%}
    case
        when {{ rate }} = 1 and {{ exponent }} = {{ target_exponent }}
            then cast({{ amount_minor }} as bigint)
        else {{ at_minor_rate(amount_minor, minor_rate(rate, exponent, target_exponent)) }}
    end
{%- endmacro %}

{# Major units of a currency in whole minor units; null where the currency is none. #}
{% macro minor_units(amount, exponent) -%}
    cast(
        round({{ amount }} * cast({{ power_of_ten(exponent) }} as decimal(5, 0)), 0) as bigint
    )
{%- endmacro %}
