{# What is common to the records of all entities: ids that were loaded again, rules by which records
   are left out. #}

{# The CTEs `repeated_ids`, `ranked` and `final`: the rows of an id beside the one that counts (the
   newest load, then the line furthest down), and why. #}
{% macro repeated_rows(rows, id) -%}
repeated_ids as (

    select {{ id }}
    from {{ rows }}
    group by {{ id }}
    having count(*) > 1

),

ranked as (

    select
        {{ rows }}._feed,
        {{ rows }}._load,
        {{ rows }}._file,
        {{ rows }}._line,
        {{ rows }}.{{ id }},
        first_value({{ rows }}._feed) over (
            partition by {{ rows }}.{{ id }}
            order by {{ rows }}._load desc, {{ rows }}._line desc, {{ rows }}._feed asc
        ) as kept_feed,
        row_number() over (
            partition by {{ rows }}.{{ id }}
            order by {{ rows }}._load desc, {{ rows }}._line desc, {{ rows }}._feed asc
        ) as recency
    from {{ rows }}
    inner join repeated_ids on {{ rows }}.{{ id }} = repeated_ids.{{ id }}

),

final as (

    select
        _feed,
        _load,
        _file,
        _line,
        {{ id }},
        case
            when _feed = kept_feed then 'same id loaded again'
            else 'same id in another feed'
        end as reason
    from ranked
    where recency > 1

)
{%- endmacro %}

{# What a rule looks at: a column, or the domain of the e-mail. #}
{% macro rule_value(rows, column) -%}
    {%- if column == "email_domain" -%}
        {{ email_domain(rows ~ ".email") }}
    {%- else -%}
        lower(trim({{ rows }}.{{ column }}))
    {%- endif -%}
{%- endmacro %}

{# Whether a value is what a rule looks for; both are in lower case and trimmed. #}
{% macro rule_fits(value, operator, text) -%}
    case {{ operator }}
        when 'equals' then {{ value }} = {{ text }}
        when 'starts_with' then left({{ value }}, length({{ text }})) = {{ text }}
        when 'ends_with' then right({{ value }}, length({{ text }})) = {{ text }}
        when 'contains' then instr({{ value }}, {{ text }}) > 0
    end
{%- endmacro %}
