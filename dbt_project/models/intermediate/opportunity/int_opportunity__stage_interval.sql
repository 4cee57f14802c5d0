-- The stages of each opportunity as intervals without a gap, from its first mapped stage on.
-- Grain: opportunity_id, entry_number.
-- A raw stage that is not mapped makes no change; equal stages in a row are one.

with

changes as (

    select * from {{ ref("int_opportunity__change") }}
    where stage is not null

),

ordered as (

    select
        *,
        lag(stage) over (
            partition by opportunity_id
            order by change_number
        ) as from_stage
    from changes

),

final as (

    select
        opportunity_id,
        from_stage,
        stage,
        origin,
        raw_status,
        row_number() over (
            partition by opportunity_id
            order by change_number
        ) as entry_number,
        stage_ordinal,
        amount,
        is_time_estimated,
        occurred_at,
        entered_at,
        lead(entered_at) over (
            partition by opportunity_id
            order by change_number
        ) as left_at
    from ordered
    where from_stage is distinct from stage

)

select * from final
