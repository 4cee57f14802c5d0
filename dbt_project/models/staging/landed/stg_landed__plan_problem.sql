with

source as (

    select * from {{ source("landed", "plan_problem") }}

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
    from source

)

select * from final
