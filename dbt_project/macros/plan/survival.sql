{# How long something takes, where some have not got there yet: Kaplan and Meier's estimate (1958). Who
   still waits counts as waiting up to now, and as nothing after: leaving them out would make every
   young cohort look fast. Without anybody waiting it is the plain nearest-rank percentile.

   `observations` is a CTE with the columns of `keys`, `seconds` (not null) and `is_event` (it
   happened then; false: it had not by then). Makes the CTEs `NAME_times`, `NAME_survival` and
   `NAME`: keys, and one column p50, p90, … a percentile; empty where so few have got there that it
   cannot be told. Logarithms are summed in whole hundred-millionths, so that the order of adding
   changes nothing; a step may be off by half of one, which the comparison allows for. #}
{% macro survival_percentiles(name, observations, keys, percentiles) %}
{{ name }}_times as (

    select
        {{ keys | join(",\n        ") }},
        seconds,
        count(case when is_event then 1 end) as events,
        count(*) as observed
    from {{ observations }}
    group by
        {{ keys | join(",\n        ") }},
        seconds

),

{{ name }}_at_risk as (

    select
        *,
        sum(observed) over (
            partition by {{ keys | join(", ") }}
            order by seconds desc
        ) as at_risk
    from {{ name }}_times

),

{{ name }}_survival as (

    select
        {{ keys | join(",\n        ") }},
        seconds,
        sum(
            case
                when events = at_risk then -100000000000
                else cast(
                    round(ln(1 - cast(events as double) / cast(at_risk as double)) * 100000000)
                    as bigint
                )
            end
        ) over (
            partition by {{ keys | join(", ") }}
            order by seconds
        ) as log_survival,
        count(*) over (
            partition by {{ keys | join(", ") }}
            order by seconds
        ) as steps
    from {{ name }}_at_risk

),

{{ name }} as (

    select
        {{ keys | join(",\n        ") }},
        {%- for percentile in percentiles %}
        min(
            case
                when log_survival <= round(ln(1 - {{ percentile }} / 100.0e0) * 100000000) + steps
                    then seconds
            end
        ) as p{{ percentile }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ name }}_survival
    group by {{ keys | join(", ") }}

)
{%- endmacro %}
