-- Who owns, promises and signs.
-- Grain: version, person.

with

landed as (

    select * from {{ ref("stg_landed__plan_person") }}

),

final as (

    select
        -- ids
        version,
        -- text
        person,
        title,
        department
    from landed

)

select * from final
