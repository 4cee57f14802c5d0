-- The landed rows of leads whose id was loaded again, without the row that counts: that of the
-- newest load, then the line furthest down.
-- Grain: landed row (_feed, _load, _line).

with

leads as (

    select * from {{ ref("stg_landed__lead") }}

),

{{ repeated_rows("leads", "lead_id") }}

select * from final
