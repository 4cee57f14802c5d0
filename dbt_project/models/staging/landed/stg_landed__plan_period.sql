with

source as (

    select * from {{ source("landed", "plan_period") }}

),

final as (

    select
        -- ids
        version,
        -- text
        period,
        period_kind,
        parent_period,
        -- numbers
        fiscal_year,
        -- times
        period_start_date,
        period_end_date
    from source

)

select * from final
