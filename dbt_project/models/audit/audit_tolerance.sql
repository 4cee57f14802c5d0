-- What the configuration tolerates, and why. Grain: feed, kind, name.

with

tolerances as (

    select * from {{ ref("stg_landed__tolerance") }}

),

final as (

    select
        feed,
        kind,
        name,
        at_most,
        reason
    from tolerances

)

select * from final
