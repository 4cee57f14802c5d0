-- What this run was asked to do. Grain: one row.

with

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

-- The key of the person hashes stays in the working warehouse.
final as (

    select
        company,
        as_of,
        {{ local_date("as_of", "time_zone") }} as as_of_date,
        reporting_currency,
        time_zone,
        cohort_period,
        no_lead_after_days
    from run_parameter

)

select * from final
