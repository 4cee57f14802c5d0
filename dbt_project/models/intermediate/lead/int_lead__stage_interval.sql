-- The stages of each lead as intervals without a gap, from its creation to now.
-- Grain: lead_id, entry_number.
-- Claims of qualified that the definition refutes are no change. Equal stages in a row are one. At
-- one instant: by the order of the stages, then by raw status.

with

leads as (

    select * from {{ ref("int_lead") }}

),

changes as (

    select * from {{ ref("int_lead__change") }}
    where is_counted

),

stages as (

    select * from {{ ref("stages") }}
    where stage = 'lead'

),

timeline as (

    select
        leads.lead_id,
        stages.stage,
        'created' as origin,
        cast(null as varchar) as raw_status,
        cast(null as varchar) as actor,
        cast(null as varchar) as reason,
        stages.ordinal as stage_ordinal,
        false as is_time_estimated,
        cast('0001-01-01' as timestamp) as occurred_at,
        leads.created_at as entered_at
    from leads
    cross join stages

    union all

    select
        lead_id,
        stage,
        origin,
        raw_status,
        actor,
        reason,
        stage_ordinal,
        is_time_estimated,
        occurred_at,
        entered_at
    from changes

),

ordered as (

    select
        *,
        lag(stage) over (
            partition by lead_id
            order by
                entered_at,
                occurred_at,
                stage_ordinal,
                raw_status nulls last,
                actor nulls last,
                reason nulls last
        ) as from_stage,
        row_number() over (
            partition by lead_id
            order by
                entered_at,
                occurred_at,
                stage_ordinal,
                raw_status nulls last,
                actor nulls last,
                reason nulls last
        ) as change_number
    from timeline

),

final as (

    select
        lead_id,
        from_stage,
        stage,
        origin,
        raw_status,
        actor,
        reason,
        row_number() over (
            partition by lead_id
            order by change_number
        ) as entry_number,
        stage_ordinal,
        is_time_estimated,
        entered_at,
        lead(entered_at) over (
            partition by lead_id
            order by change_number
        ) as left_at
    from ordered
    where from_stage is distinct from stage

)

select * from final
