-- The campaigns whose actuals a scope of the plan counts.
-- Grain: version, scope, campaign_key. A stretch has none: it is a difference, not a group.
-- A channel (segment) counts the campaigns that are declared to be of it and, of the sources it
-- counts whole, the campaigns that have no channel (segment) of their own.

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

scopes as (

    select * from {{ ref("stg_landed__plan_scope") }}
    where not is_stretch

),

scope_sources as (

    select * from {{ ref("stg_landed__plan_scope_source") }}

),

campaigns as (

    select * from {{ ref("int_campaign") }}

),

scopes_in_force as (

    select
        scopes.version,
        scopes.scope,
        scopes.level,
        scopes.member
    from versions
    inner join scopes on versions.version = scopes.version

),

members as (

    select
        scopes_in_force.version,
        scopes_in_force.scope,
        campaigns.campaign_key
    from scopes_in_force
    cross join campaigns
    where scopes_in_force.level = 'company'

    union all

    select
        scopes_in_force.version,
        scopes_in_force.scope,
        campaigns.campaign_key
    from scopes_in_force
    inner join campaigns
        on
            scopes_in_force.member = case scopes_in_force.level
                when 'campaign' then campaigns.campaign_key
                when 'channel' then campaigns.channel
                when 'segment' then campaigns.segment
            end

    union all

    select
        scopes_in_force.version,
        scopes_in_force.scope,
        campaigns.campaign_key
    from scopes_in_force
    inner join scope_sources
        on
            scopes_in_force.version = scope_sources.version
            and scopes_in_force.scope = scope_sources.scope
    inner join campaigns
        on {{ match_key("scope_sources.source") }} = {{ match_key("campaigns.source") }}
    where
        -- Fees and tools belong to the company, to no channel.
        campaigns.kind <> 'overhead'
        and (
            (scopes_in_force.level = 'channel' and campaigns.channel is null)
            or (scopes_in_force.level = 'segment' and campaigns.segment is null)
        )

),

-- Two spellings of one source count it once.
final as (

    select distinct
        version,
        scope,
        campaign_key
    from members

)

select * from final
