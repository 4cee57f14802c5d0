with

source as (

    select * from {{ source("landed", "invoices") }}

),

final as (

    select
        -- ids
        invoice_id,
        -- text
        source,
        account,
        currency,
        lower(trim(kind)) as kind,
        -- numbers
        amount,
        -- times
        month,
        -- lineage
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from source

)

select * from final
