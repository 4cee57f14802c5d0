-- The actuals of what the plan sets targets for, by scope.
-- Grain: version, scope, metric, day, known_date. A campaign counts in every scope that has it:
-- figures add up over days, not over scopes.

with

daily as (

    select * from {{ ref("int_kpi__daily") }}

),

members as (

    select * from {{ ref("int_plan__scope_member") }}

),

targets as (

    select * from {{ ref("int_plan__target") }}

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}

),

planned as (

    select distinct
        targets.version,
        targets.scope,
        targets.metric,
        case when targets.kind = 'rate' then settings.window_days end as window_days
    from targets
    left join settings
        on
            targets.version = settings.version
            and targets.scope = settings.scope
            and targets.metric = settings.metric

),

final as (

    select
        planned.version,
        planned.scope,
        planned.metric,
        daily.day,
        daily.known_date,
        {{ exact_sum("daily.numerator") }} as numerator,
        {{ exact_sum("daily.denominator") }} as denominator,
        {{ exact_sum("daily.without_amount") }} as without_amount,
        {{ exact_sum("daily.waiting") }} as waiting
    from daily
    inner join members
        on
            daily.version = members.version
            and daily.campaign_key = members.campaign_key
    inner join planned
        on
            members.version = planned.version
            and members.scope = planned.scope
            and daily.metric = planned.metric
            and daily.window_days is not distinct from planned.window_days
    group by planned.version, planned.scope, planned.metric, daily.day, daily.known_date

)

select * from final
