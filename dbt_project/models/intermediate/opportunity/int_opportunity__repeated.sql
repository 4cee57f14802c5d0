-- The landed rows of opportunities whose id was loaded again, without the row that counts: that of
-- the newest load, then the line furthest down.
-- Grain: landed row (_feed, _load, _line).

with

opportunities as (

    select * from {{ ref("stg_landed__opportunity") }}

),

{{ repeated_rows("opportunities", "opportunity_id") }}

select * from final
