-- The plan's own rate of the handoff for a cohort, by which it is judged while nobody has committed
-- to one.
-- Grain: campaign_key, cohort_start_date; only cohorts for which the plan has a rate.
-- The nearest target counts: of the campaign, else its channel, its segment, the company; of these
-- the shortest period that holds the cohort's first day.

with

crossings as (

    select * from {{ ref("int_commitment__crossing") }}

),

members as (

    select * from {{ ref("int_plan__scope_member") }}

),

scopes as (

    select * from {{ ref("stg_landed__plan_scope") }}

),

periods as (

    select * from {{ ref("stg_landed__plan_period") }}

),

targets as (

    select * from {{ ref("int_plan__target") }}
    where metric = 'rate_mql_sal'

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}

),

ranked as (

    select
        crossings.campaign_key,
        crossings.cohort_start_date,
        targets.metric,
        targets.plan_value as rate,
        settings.window_days,
        row_number() over (
            partition by crossings.campaign_key, crossings.cohort_start_date
            order by
                case scopes.level
                    when 'campaign' then 1
                    when 'channel' then 2
                    when 'segment' then 3
                    else 4
                end,
                {{ shortest_first("periods.period_kind") }},
                targets.scope
        ) as preference
    from crossings
    inner join members
        on
            crossings.version = members.version
            and crossings.campaign_key = members.campaign_key
    inner join scopes
        on
            members.version = scopes.version
            and members.scope = scopes.scope
    inner join targets
        on
            members.version = targets.version
            and members.scope = targets.scope
    inner join periods
        on
            targets.version = periods.version
            and targets.period = periods.period
            and crossings.cohort_start_date >= periods.period_start_date
            and crossings.cohort_start_date < periods.period_end_date
    left join settings
        on
            targets.version = settings.version
            and targets.scope = settings.scope
            and targets.metric = settings.metric

),

final as (

    select
        campaign_key,
        cohort_start_date,
        metric,
        rate,
        window_days
    from ranked
    where preference = 1

)

select * from final
