with

source as (

    select * from {{ source("landed", "plan_waiver") }}

),

final as (

    select
        -- ids
        number,
        -- text
        law,
        scope,
        reason,
        waived_by,
        -- times
        expires_on,
        waived_at
    from source

)

select * from final
