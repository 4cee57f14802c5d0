with

source as (

    select * from {{ source("landed", "tolerance") }}

),

final as (

    select
        -- ids
        feed,
        -- text
        kind,
        name,
        reason,
        -- numbers
        at_most
    from source

)

select * from final
