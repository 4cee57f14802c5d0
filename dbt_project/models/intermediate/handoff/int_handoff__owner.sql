-- Who answers for a campaign's leads on either side of the handoff, by the plan.
-- Grain: version, campaign_key. Of the scopes that count the campaign the narrowest with a line of
-- its KPI decides: the campaign, its channel, its segment, the company.

with

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}
    where metric in ('mqls', 'rate_mql_sal')

),

members as (

    select * from {{ ref("int_plan__scope_member") }}

),

scopes as (

    select * from {{ ref("stg_landed__plan_scope") }}

),

ranked as (

    select
        members.version,
        members.campaign_key,
        settings.metric,
        settings.owner,
        row_number() over (
            partition by members.version, members.campaign_key, settings.metric
            order by
                case scopes.level
                    when 'campaign' then 1
                    when 'channel' then 2
                    when 'segment' then 3
                    else 4
                end,
                members.scope
        ) as preference
    from members
    inner join scopes
        on
            members.version = scopes.version
            and members.scope = scopes.scope
    inner join settings
        on
            members.version = settings.version
            and members.scope = settings.scope

),

final as (

    select
        version,
        campaign_key,
        max(case when metric = 'mqls' then owner end) as marketing_owner,
        max(case when metric = 'rate_mql_sal' then owner end) as handoff_owner
    from ranked
    where preference = 1
    group by version, campaign_key

)

select * from final
