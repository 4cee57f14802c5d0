-- Who answers for a KPI of a scope, and how far it may miss: the line of the plan that applies.
-- Grain: version, scope, metric.
-- The scope's own line beats one for all scopes, as a whole; of equals the one furthest up counts
-- (law P4 names the others).

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

settings as (

    select * from {{ ref("stg_landed__plan_kpi") }}

),

scopes as (

    select * from {{ ref("stg_landed__plan_scope") }}

),

ranked as (

    select
        scopes.version,
        scopes.scope,
        settings.metric,
        settings.owner,
        settings.owner_department,
        settings.tolerance_pct,
        settings.cadence_days,
        settings.window_days,
        settings.curve,
        settings.sla_hours,
        settings.trigger_pct,
        settings.action,
        row_number() over (
            partition by scopes.version, scopes.scope, settings.metric
            order by
                case when settings.scope is null then 1 else 0 end,
                settings.sheet_row
        ) as preference
    from versions
    inner join scopes on versions.version = scopes.version
    inner join settings
        on
            scopes.version = settings.version
            and coalesce(settings.scope, scopes.scope) = scopes.scope

),

final as (

    select
        version,
        scope,
        metric,
        owner,
        owner_department,
        tolerance_pct,
        cadence_days,
        window_days,
        curve,
        sla_hours,
        trigger_pct,
        action
    from ranked
    where preference = 1

)

select * from final
