with

source as (

    select * from {{ source("landed", "source_total") }}

),

final as (

    select
        -- ids
        feed,
        load as load_number,
        -- text
        source,
        account,
        currency,
        -- numbers
        cost,
        rows,
        -- times
        month
    from source

)

select * from final
