-- The landed rows of touches whose id was loaded again, without the row that counts: that of the
-- newest load, then the line furthest down.
-- Grain: landed row (_feed, _load, _line).

with

touches as (

    select * from {{ ref("stg_landed__touch") }}

),

{{ repeated_rows("touches", "touch_id") }}

select * from final
