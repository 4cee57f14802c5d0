with

source as (

    select * from {{ source("landed", "cadence") }}

),

final as (

    select
        -- ids
        feed,
        table_name,
        -- numbers
        cadence_hours,
        -- booleans
        is_daily
    from source

)

select * from final
