with

source as (

    select * from {{ source("landed", "run_parameter") }}

),

final as (

    select
        -- text
        company,
        reporting_currency,
        time_zone,
        cohort_period,
        person_key,
        -- numbers
        no_lead_after_days,
        -- times
        as_of
    from source

)

select * from final
