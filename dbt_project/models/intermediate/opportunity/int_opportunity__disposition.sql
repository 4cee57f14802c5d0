-- What became of every landed row of an opportunity: in the books, merged, or excluded.
-- Grain: landed row (feed, _load, _line).

with

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

left_out as (

    select * from {{ ref("int_opportunity__left_out") }}

),

final as (

    select
        feed,
        opportunity_id,
        'kept' as disposition,
        cast(null as varchar) as reason,
        _load,
        _file,
        _line
    from opportunities

    union all

    select
        _feed as feed,
        opportunity_id,
        disposition,
        reason,
        _load,
        _file,
        _line
    from left_out

)

select * from final
