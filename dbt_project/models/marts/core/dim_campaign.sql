-- The campaigns that anything belongs to, and one bucket per source for what belongs to none.
-- Grain: campaign_key.

with

campaigns as (

    select * from {{ ref("int_campaign") }}

),

final as (

    select
        campaign_key,
        source,
        campaign,
        kind,
        channel,
        segment,
        is_declared,
        has_spend,
        started_on,
        ended_on
    from campaigns

)

select * from final
