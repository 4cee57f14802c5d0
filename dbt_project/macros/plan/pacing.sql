{# What a target asks for up to a day: its share by weight. Money in whole minor units and counts to
   nine digits, both rounded down, so that differences of shares add up to the target exactly. #}
{% macro paced_value(target, unit, weight, period_weight) -%}
    case
        when {{ unit }} = 'minor'
            then cast({{ whole_share(target, weight, period_weight) }} as decimal(38, 9))
        else cast(
            {{ whole_share(target ~ " * 1000000000", weight, period_weight) }} * 0.000000001
            as decimal(38, 9)
        )
    end
{%- endmacro %}

{# What periods that hold the same day are ordered by: of a figure that several of them state, that of
   the shortest counts. #}
{% macro shortest_first(period_kind) -%}
    case {{ period_kind }} when 'month' then 1 when 'quarter' then 2 else 3 end
{%- endmacro %}

{# What periods are ordered by where that of today counts: the shortest that holds the day, else the
   latest that has begun, else the first to come. #}
{% macro today_first(periods, today) -%}
    case
        when {{ periods }}.period_start_date > {{ today }} then 3
        when {{ periods }}.period_end_date <= {{ today }} then 2
        else 1
    end,
    abs({{ days_between(periods ~ ".period_start_date", today) }}),
    {{ periods }}.period_end_date
{%- endmacro %}
