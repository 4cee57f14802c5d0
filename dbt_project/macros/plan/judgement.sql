{# How a KPI is judged. All kinds are judged alike, on sums over the days: what was counted (of a
   rate or a price: its numerator), what the plan expects of it (of a rate or a price: the
   denominator × the plan's figure), the variance that chance alone gives, and the share of the
   period that has passed. Floating point: this makes a status, never money.

   Leads that wait are the trap of a rate. Who goes on is decided at once, who does not only when the
   window has passed, so that the decided alone look too good (or too bad, where rejections are
   quick). A rate is therefore outside only if it stays outside whatever becomes of them: above the
   plan if none of them went on, below it if all did. With nobody waiting that is the plain test. #}

{# Enough of the period's pace has passed: from here on a KPI is held to its tolerance. #}
{% macro has_passed(to_date_share, in_force_share, after_pct) -%}
    ({{ to_date_share }} > 0
    and {{ to_date_share }} * 100 >= {{ in_force_share }} * {{ after_pct }})
{%- endmacro %}

{# By how much it misses the plan at least: above it (positive), below it (negative), or 0 where the
   waiting may still bring it there. #}
{% macro least_miss(actual, waiting, expected) -%}
    case
        when {{ actual }} > {{ expected }}
            then cast({{ actual }} as double) - cast({{ expected }} as double)
        when {{ actual }} + {{ waiting }} < {{ expected }}
            then cast({{ actual }} + {{ waiting }} as double) - cast({{ expected }} as double)
        else 0
    end
{%- endmacro %}

{# Counts, rates and sums of deals: further from the plan than chance explains. Null: no chance is
   reckoned with, as of spend. A rate above one and a plan below nothing leave chance no room. #}
{% macro is_beyond_chance(unit, actual, waiting, expected, chance, sigma) -%}
    case
        when {{ unit }} in ('count', 'rate') or {{ chance }} is not null
            then abs({{ least_miss(actual, waiting, expected) }})
                > cast({{ sigma }} as double)
                * sqrt(case when {{ chance }} < 0 then 0 else cast({{ chance }} as double) end)
    end
{%- endmacro %}

{# Further from the plan than the tolerance allows, on either side. A plan of nothing allows
   nothing; without a tolerance nothing is outside (law P4 names what has none). #}
{% macro is_beyond_tolerance(actual, waiting, expected, tolerance_pct) -%}
    coalesce(
        abs({{ least_miss(actual, waiting, expected) }}) * 100
        > cast({{ tolerance_pct }} as double) * cast({{ expected }} as double),
        false
    )
{%- endmacro %}

{# In words. `ahead` is the better side; of what has none (spend) more than planned. #}
{% macro kpi_status(tolerance_pct, has_passed, has_actual, is_outside, better, actual, expected) -%}
    case
        when {{ tolerance_pct }} is null then 'not planned'
        when not {{ has_passed }} then 'not yet'
        when not {{ has_actual }} then 'no data'
        when not {{ is_outside }} then 'on plan'
        when ({{ better }} = 'lower') = ({{ actual }} < {{ expected }}) then 'ahead'
        else 'behind'
    end
{%- endmacro %}

{# The variance that chance alone gives: of a count what is planned of it (Poisson), of a rate
   n·p·(1 − p) (binomial), n being all who entered; of a sum of deals (pipeline, bookings) what is
   planned × the planned deal, as if all deals were that large (compound Poisson; unequal deals vary
   more); null where no chance is reckoned with. #}
{% macro chance_value(unit, entered, plan_value, expected, deal_value) -%}
    case
        when {{ unit }} = 'count' then {{ expected }}
        when {{ unit }} = 'minor'
            then cast(
                cast({{ expected }} as double) * cast({{ deal_value }} as double)
                as decimal(38, 9)
            )
        when {{ unit }} = 'rate'
            then cast(
                cast({{ entered }} as decimal(18, 0))
                * cast({{ plan_value }} as decimal(10, 9))
                * (1 - cast({{ plan_value }} as decimal(10, 9)))
                as decimal(38, 9)
            )
    end
{%- endmacro %}

{# What there is, in the KPI's unit; null where nothing has been measured. #}
{% macro actual_value(row) -%}
    case
        when not {{ row }}.has_actual then null
        when {{ row }}.is_additive then cast({{ row }}.numerator as decimal(38, 9))
        else {{ quotient(row ~ ".numerator", row ~ ".denominator") }}
    end
{%- endmacro %}

{# By how many percent it misses the plan to date; null where the plan is nothing. #}
{% macro variance_pct(row) -%}
    case
        when {{ row }}.has_actual
            then cast(
                round(
                    (cast({{ row }}.numerator as double) - cast({{ row }}.expected_value as double))
                    * 100 / nullif(cast({{ row }}.expected_value as double), 0),
                    2
                ) as decimal(18, 2)
            )
    end
{%- endmacro %}
