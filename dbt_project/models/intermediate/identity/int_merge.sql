-- The merges in force at as_of: which record each merged one is part of now.
-- Grain: entity, record_id.
-- A chain is followed to its end, at most 64 merges; the survivor is the last record on it that a
-- source delivers, because CRMs delete the others. A merge that reaches no delivered record is
-- none. A chain without an end is a circle: it has no survivor.

with recursive

statements as (

    select * from {{ ref("int_merge__stated") }}
    where standing = 'counts'

),

targets as (

    select distinct
        entity,
        merged_into as record_id
    from statements

),

{%- set entities = {
    "lead": ("stg_landed__lead", "lead_id"),
    "contact": ("stg_landed__contact", "contact_id"),
    "opportunity": ("stg_landed__opportunity", "opportunity_id"),
} %}

delivered as (

    {%- for entity, (model, id) in entities.items() %}

    select
        targets.entity,
        targets.record_id
    from targets
    where
        targets.entity = '{{ entity }}'
        and targets.record_id in (select records.{{ id }} from {{ ref(model) }} as records)
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

steps as (

    select
        entity,
        record_id,
        merged_into as reached,
        1 as step
    from statements

    union all

    select
        steps.entity,
        steps.record_id,
        statements.merged_into as reached,
        steps.step + 1 as step
    from steps
    inner join statements
        on
            steps.entity = statements.entity
            and steps.reached = statements.record_id
    where steps.step < 64

),

walked as (

    select
        steps.entity,
        steps.record_id,
        max(case when statements.record_id is null then 1 else 0 end) = 1 as has_end,
        max_by(delivered.record_id, case when delivered.record_id is not null then steps.step end)
            as survivor_id
    from steps
    left join statements
        on
            steps.entity = statements.entity
            and steps.reached = statements.record_id
    left join delivered
        on
            steps.entity = delivered.entity
            and steps.reached = delivered.record_id
    group by steps.entity, steps.record_id

),

final as (

    select
        statements.entity,
        statements.record_id,
        case when walked.has_end then walked.survivor_id end as survivor_id,
        statements.merged_into,
        statements.stated_by,
        case when walked.has_end then 'merged' else 'merged in a circle' end as reason,
        statements.is_contradicted,
        statements.merged_at
    from statements
    inner join walked
        on
            statements.entity = walked.entity
            and statements.record_id = walked.record_id
    where walked.survivor_id is not null

)

select * from final
