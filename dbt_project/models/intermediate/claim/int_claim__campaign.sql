-- The campaigns whose records a claim is about, by its scope.
-- Grain: claim_key, campaign_key.
-- As int_plan__scope_member, but departments may claim what the plan has no targets for.

with

claims as (

    select * from {{ ref("int_claim") }}

),

scope_sources as (

    select * from {{ ref("stg_landed__plan_scope_source") }}

),

campaigns as (

    select * from {{ ref("int_campaign") }}

),

scopes as (

    select distinct
        plan_version,
        scope
    from claims

),

members as (

    select
        scopes.plan_version,
        scopes.scope,
        campaigns.campaign_key
    from scopes
    cross join campaigns
    where
        scopes.scope = 'company'
        or scopes.scope = 'campaign:' || campaigns.campaign_key
        or scopes.scope = 'channel:' || campaigns.channel
        or scopes.scope = 'segment:' || campaigns.segment

    union all

    select
        scopes.plan_version,
        scopes.scope,
        campaigns.campaign_key
    from scopes
    inner join scope_sources
        on
            scopes.plan_version = scope_sources.version
            and scopes.scope = scope_sources.scope
    inner join campaigns
        on {{ match_key("scope_sources.source") }} = {{ match_key("campaigns.source") }}
    where
        (scopes.scope like 'channel:%' and campaigns.channel is null)
        or (scopes.scope like 'segment:%' and campaigns.segment is null)

),

-- Two spellings of one source count it once.
final as (

    select distinct
        claims.claim_key,
        members.campaign_key
    from claims
    inner join members
        on
            claims.plan_version is not distinct from members.plan_version
            and claims.scope = members.scope

)

select * from final
