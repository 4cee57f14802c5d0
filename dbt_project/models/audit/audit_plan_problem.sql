-- What is wrong with the contract itself: locks, chain, signatures, registers.
-- Grain: problem_number.

with

landed as (

    select * from {{ ref("stg_landed__plan_problem") }}

),

final as (

    select
        -- ids
        problem_number,
        version,
        -- text
        file,
        problem,
        expected,
        found,
        -- numbers
        line
    from landed

)

select * from final
