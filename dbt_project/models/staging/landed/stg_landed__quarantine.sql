with

source as (

    select * from {{ source("landed", "quarantine") }}

),

final as (

    select
        -- ids
        feed,
        table_name,
        load as load_number,
        file,
        line,
        -- text
        {{ adapter.quote("column") }} as column_name,
        value,
        reason
    from source

)

select * from final
