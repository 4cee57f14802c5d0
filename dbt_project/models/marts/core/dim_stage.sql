-- The stages in their order: accounts of the dollar journal, the funnel, its exits, and who answers
-- for each transition.
-- Grain: stage.

with

stages as (

    select * from {{ ref("stages") }}

),

final as (

    select
        stage,
        kind,
        owner,
        description,
        ordinal,
        is_terminal
    from stages

)

select * from final
