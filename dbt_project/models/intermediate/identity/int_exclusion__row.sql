-- The landed rows that a rule of the company leaves out (tests, staff, bots, competitors).
-- Grain: entity, landed row (_feed, _load, _line), rule.
-- A rule judges the records created while it was in force (touches: by when they happened); where a
-- record does not say when it was created, the rules in force at as_of do. Of several that fit, the
-- first in the alphabet counts (`preference` 1).

{%- set columns = {
    "leads": [
        "email", "email_domain", "company", "source", "utm_source", "utm_medium", "owner",
    ],
    "contacts": ["email", "email_domain", "account", "owner"],
    "touches": ["email", "email_domain", "kind", "source", "utm_source", "utm_medium"],
    "opportunities": ["account", "owner", "product", "source"],
} %}
{%- set models = {
    "leads": ref("stg_landed__lead"),
    "contacts": ref("stg_landed__contact"),
    "touches": ref("stg_landed__touch"),
    "opportunities": ref("stg_landed__opportunity"),
} %}

with

rules as (

    select * from {{ ref("stg_landed__exclusion_rule") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

{%- for entity in columns %}
{%- set judged_at = entity ~ "." ~ ("occurred_at" if entity == "touches" else "created_at") %}

{{ entity }} as (

    select * from {{ models[entity] }}

),

{{ entity }}_judged as (

    select
        '{{ entity }}' as entity,
        {{ entity }}._feed,
        {{ entity }}._load,
        {{ entity }}._line,
        rules.rule,
        rules.sha256,
        rules.operator,
        rules.text,
        case rules.column_name
            {%- for column in columns[entity] %}
            when '{{ column }}' then {{ rule_value(entity, column) }}
            {%- endfor %}
        end as value
    from {{ entity }}
    cross join run_parameter
    inner join rules
        on
            rules.entity = '{{ entity }}'
            and coalesce({{ judged_at }}, run_parameter.as_of) >= rules.valid_from
            and (
                rules.valid_to is null
                or coalesce({{ judged_at }}, run_parameter.as_of) < rules.valid_to
            )

),
{%- endfor %}

fitting as (

    {%- for entity in columns %}

    select * from {{ entity }}_judged
    where {{ rule_fits("value", "operator", "text") }}
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

-- A rule has a row for each of its texts.
once as (

    select distinct
        entity,
        _feed,
        _load,
        _line,
        rule,
        sha256
    from fitting

),

final as (

    select
        entity,
        _feed,
        _load,
        _line,
        rule,
        sha256,
        row_number() over (
            partition by entity, _feed, _load, _line
            order by rule
        ) as preference
    from once

)

select * from final
