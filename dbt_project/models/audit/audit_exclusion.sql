-- The rules by which records are left out, and how many each left out.
-- Grain: rule. A rule that hits nothing is here with 0.

with

rules as (

    select * from {{ ref("stg_landed__exclusion_rule") }}

),

hits as (

    select * from {{ ref("int_exclusion__row") }}

),

{%- set entities = {
    "leads": "int_lead__left_out", "contacts": "int_contact__left_out",
    "touches": "int_touch__left_out", "opportunities": "int_opportunity__left_out",
} %}

left_out as (

    {%- for entity, model in entities.items() %}

    select
        '{{ entity }}' as entity,
        _feed,
        _load,
        _line
    from {{ ref(model) }}
    where reason like 'rule: %'
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

distinct_rules as (

    select
        rule,
        sha256,
        entity,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to
    from rules
    group by rule, sha256, entity

),

counted as (

    select
        hits.rule,
        hits.entity,
        count(*) as fitting_rows,
        count(left_out._line) as rows
    from hits
    left join left_out
        on
            hits.entity = left_out.entity
            and hits._feed = left_out._feed
            and hits._load = left_out._load
            and hits._line = left_out._line
            and hits.preference = 1
    group by hits.rule, hits.entity

),

final as (

    select
        distinct_rules.rule,
        distinct_rules.sha256,
        distinct_rules.entity,
        coalesce(counted.rows, 0) as rows,
        coalesce(counted.fitting_rows, 0) as fitting_rows,
        distinct_rules.valid_from,
        distinct_rules.valid_to
    from distinct_rules
    left join counted
        on
            distinct_rules.rule = counted.rule
            and distinct_rules.entity = counted.entity

)

select * from final
