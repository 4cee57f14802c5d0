-- References that lead nowhere, and ids that two feeds use. Grain: feed, table_name, reference.
-- A reference into a table that no source delivers cannot be resolved and is not judged; one to a
-- record that was merged into another, and is delivered no more, resolves to that one.

with

{%- set entities = {"leads": "lead", "contacts": "contact", "opportunities": "opportunity"} %}
{%- set references = [
    ("lead_events", "stg_landed__lead_event", "lead_id", "leads", "stg_landed__lead", "lead_id"),
    ("leads", "stg_landed__lead", "merged_into", "leads", "stg_landed__lead", "lead_id"),
    (
        "leads", "stg_landed__lead", "converted_opportunity_id",
        "opportunities", "stg_landed__opportunity", "opportunity_id",
    ),
    ("leads", "stg_landed__lead", "contact_id", "contacts", "stg_landed__contact", "contact_id"),
    ("touches", "stg_landed__touch", "lead_id", "leads", "stg_landed__lead", "lead_id"),
    (
        "opportunities", "stg_landed__opportunity", "contact_id",
        "contacts", "stg_landed__contact", "contact_id",
    ),
    (
        "contact_roles", "stg_landed__contact_role", "contact_id",
        "contacts", "stg_landed__contact", "contact_id",
    ),
    (
        "contact_roles", "stg_landed__contact_role", "opportunity_id",
        "opportunities", "stg_landed__opportunity", "opportunity_id",
    ),
    (
        "opportunity_events", "stg_landed__opportunity_event", "opportunity_id",
        "opportunities", "stg_landed__opportunity", "opportunity_id",
    ),
    (
        "revenue", "stg_landed__revenue", "opportunity_id",
        "opportunities", "stg_landed__opportunity", "opportunity_id",
    ),
] %}

{%- for table_name, model, column, target, target_model, target_column in references %}

{{ table_name }}_{{ column }} as (

    select
        referring._feed as feed,
        '{{ table_name }}' as table_name,
        '{{ column }}' as key,
        'unresolved reference' as problem,
        '{{ target }}.{{ target_column }} = ' || referring.{{ column }} as reference,
        count(*) as rows
    from {{ ref(model) }} as referring
    where
        referring.{{ column }} is not null
        and not exists (
            select 1
            from {{ ref(target_model) }} as referred
            where referred.{{ target_column }} = referring.{{ column }}
        )
        and not exists (
            select 1
            from {{ ref("int_merge") }} as merge_map
            where
                merge_map.entity = '{{ entities[target] }}'
                and merge_map.record_id = referring.{{ column }}
        )
        {%- if target in ("contacts", "opportunities", "leads") %}
        and exists (select 1 from {{ ref(target_model) }})
        {%- endif %}
    group by referring._feed, referring.{{ column }}

),
{%- endfor %}

repeated_ids as (

    select
        feed,
        'leads' as table_name,
        'lead_id' as key,
        'leads.lead_id = ' || lead_id as reference,
        count(*) as rows
    from {{ ref("int_lead__disposition") }}
    where reason = 'same id in another feed'
    group by feed, lead_id

    union all

    select
        feed,
        'opportunities' as table_name,
        'opportunity_id' as key,
        'opportunities.opportunity_id = ' || opportunity_id as reference,
        count(*) as rows
    from {{ ref("int_opportunity__disposition") }}
    where reason = 'same id in another feed'
    group by feed, opportunity_id

),

final as (

    select
        feed,
        table_name,
        key,
        'same id in another feed' as problem,
        reference,
        rows
    from repeated_ids

    union all
    {% for table_name, model, column, target, target_model, target_column in references %}
    select * from {{ table_name }}_{{ column }}
    {%- if not loop.last %}

    union all
    {% endif -%}
    {%- endfor %}

)

select * from final
