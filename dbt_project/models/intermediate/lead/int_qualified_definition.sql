-- The versions of the definition of qualified as intervals without a gap at the ends: the first one
-- also judges what was before it, so that there is a definition for every instant.
-- Grain: version.

with

definitions as (

    select * from {{ ref("stg_landed__qualified_definition") }}

),

final as (

    select
        version,
        min_score,
        exclude_test,
        case
            when valid_from = min(valid_from) over () then cast('0001-01-01' as timestamp)
            else valid_from
        end as valid_from,
        coalesce(valid_to, cast('9999-12-31' as timestamp)) as valid_to
    from definitions

)

select * from final
