with

source as (

    select * from {{ source("landed", "credit_model") }}

),

final as (

    select
        -- ids
        model,
        -- text
        family,
        description,
        -- numbers
        ordinal,
        first_weight,
        lead_weight,
        opportunity_weight,
        last_weight,
        rest_weight
    from source

)

select * from final
