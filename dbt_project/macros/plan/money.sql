{# Whole minor units of one currency in those of another, rounded once; null without a rate. #}
{% macro converted_minor(amount_minor, rate, exponent, target_exponent) -%}
    cast(
        round(
            cast({{ amount_minor }} as decimal(18, 0))
            * cast(
                cast({{ rate }} as decimal(18, 9))
                * cast({{ power_of_ten(target_exponent ~ " - " ~ exponent) }} as decimal(8, 4))
                as decimal(20, 12)
            ),
            0
        ) as bigint
    )
{%- endmacro %}
