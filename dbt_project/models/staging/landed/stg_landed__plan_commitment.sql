with

source as (

    select * from {{ source("landed", "plan_commitment") }}

),

final as (

    select
        -- ids
        number,
        -- text
        campaign_key,
        metric,
        committed_by,
        -- numbers
        rate,
        window_days,
        -- times
        cohort_start_date,
        committed_at
    from source

)

select * from final
