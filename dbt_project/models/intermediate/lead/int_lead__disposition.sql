-- What became of every landed row of a lead: in the books, merged, or excluded with a reason.
-- Grain: landed row (feed, _load, _line).

with

leads as (

    select * from {{ ref("int_lead") }}

),

left_out as (

    select * from {{ ref("int_lead__left_out") }}

),

final as (

    select
        feed,
        lead_id,
        'kept' as disposition,
        cast(null as varchar) as reason,
        cast(null as varchar) as survivor_lead_id,
        _load,
        _file,
        _line
    from leads

    union all

    select
        _feed as feed,
        lead_id,
        disposition,
        reason,
        survivor_lead_id,
        _load,
        _file,
        _line
    from left_out

)

select * from final
