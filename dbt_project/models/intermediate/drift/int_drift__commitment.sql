-- The rates that Sales has committed to, each for a campaign's cohort.
-- Grain: campaign_key, cohort_start_date, metric. Who owes a rate may commit again: the last word
-- counts.

with

commitments as (

    select * from {{ ref("stg_landed__plan_commitment") }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by campaign_key, cohort_start_date, metric
            order by number desc
        ) as recency
    from commitments

),

final as (

    select
        'campaign:' || campaign_key as scope,
        campaign_key,
        cohort_start_date,
        metric,
        rate,
        window_days
    from ranked
    where recency = 1

)

select * from final
