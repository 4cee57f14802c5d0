-- Which campaigns each scope of the plan counts: an audit of a scope lists the leads of no other.
-- Grain: version, scope, campaign_key.

with

members as (

    select * from {{ ref("int_plan__scope_member") }}

),

final as (

    select
        -- ids
        version,
        -- text
        scope,
        campaign_key
    from members

)

select * from final
