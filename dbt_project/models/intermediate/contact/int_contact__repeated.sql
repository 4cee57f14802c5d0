-- The landed rows of contacts whose id was loaded again, without the row that counts: that of the
-- newest load, then the line furthest down.
-- Grain: landed row (_feed, _load, _line).

with

contacts as (

    select * from {{ ref("stg_landed__contact") }}

),

{{ repeated_rows("contacts", "contact_id") }}

select * from final
