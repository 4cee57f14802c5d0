-- The campaigns that a scope of the plan counts, today.
-- Grain: scope, campaign_key: by the latest version that has begun and has the scope.

with

versions as (

    select * from {{ ref("int_plan__version") }}
    where has_begun

),

members as (

    select * from {{ ref("int_plan__scope_member") }}

),

newest as (

    select
        members.scope,
        max(members.version) as version
    from members
    inner join versions on members.version = versions.version
    group by members.scope

),

final as (

    select
        members.scope,
        members.campaign_key,
        members.version
    from members
    inner join newest
        on
            members.scope = newest.scope
            and members.version = newest.version

)

select * from final
