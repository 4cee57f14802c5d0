-- What targets are set for, and what each adds up to.
-- Grain: version, scope.

with

landed as (

    select * from {{ ref("stg_landed__plan_scope") }}

),

final as (

    select
        -- ids
        version,
        -- text
        scope,
        level,
        parent_scope,
        member,
        -- numbers
        sheet_row,
        -- booleans
        is_stretch
    from landed

)

select * from final
