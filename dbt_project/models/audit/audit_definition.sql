-- The versions of the definition of qualified that the books were made with. Grain: version.

with

definitions as (

    select * from {{ ref("stg_landed__qualified_definition") }}

),

final as (

    select
        version,
        valid_from,
        valid_to,
        min_score,
        exclude_test,
        sha256
    from definitions

)

select * from final
