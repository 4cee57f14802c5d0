with

source as (

    select * from {{ source("landed", "plan_policy") }}

),

final as (

    select
        -- ids
        version,
        -- text
        spend_rate,
        pipeline_rate,
        won_rate,
        commitment_policy,
        variance_policy,
        handoff_policy,
        business_hours,
        -- numbers
        commitment_threshold_minor,
        commitment_grace_days,
        variance_after_pct,
        variance_sigma,
        handoff_share_pct,
        funnel_tolerance_pct,
        promise_tolerance_pct,
        rollup_tolerance_pct,
        max_cac,
        max_payback_months,
        gross_margin_pct
    from source

)

select * from final
