-- The pace of what arrives, as the plan has it: leads, spend, and whoever enters a later stage from
-- outside, by day; and what did arrive of leads and spend.
-- Grain: scope, stream, day; the last 24 weeks and the days to the end of the last open period.
-- Streams are `budget` and, for each stage up to the opportunity, its name. The plan's own daily
-- pace is that of the shortest period that has a target. A scope without a target has the weights
-- of the days alone.

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

targets as (

    select * from {{ ref("int_plan__target") }}
    where metric in ('leads', 'budget')

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}

),

pace as (

    select * from {{ ref("int_plan__pace_day") }}
    where is_in_force and period_weight > 0

),

periods as (

    select * from {{ ref("stg_landed__plan_period") }}

),

plan_days as (

    select * from {{ ref("stg_landed__plan_day") }}
    where curve = 'standard'

),

members as (

    select * from {{ ref("int_trajectory__member") }}

),

steps as (

    select * from {{ ref("int_trajectory__step") }}
    where not is_whole_deal

),

entries as (

    select * from {{ ref("int_trajectory__entry") }}

),

daily as (

    select * from {{ ref("int_kpi__daily") }}
    where metric = 'budget'

),

horizons as (

    select
        max(as_of_date) as as_of_date,
        max(period_end_date) as last_end_date
    from {{ ref("int_trajectory__horizon") }}

),

streams as (

    select
        from_stage as stream,
        cast(from_position as bigint) as position
    from steps
    where not is_deal or from_position = opening_position

    union all

    select
        'budget' as stream,
        cast(null as bigint) as position
    from horizons

),

scopes as (

    select distinct scope
    from members

),

-- The days around as_of by the versions in force on them.
days as (

    select
        plan_days.day,
        plan_days.version,
        plan_days.weight,
        {{ days_between("plan_days.day", "horizons.as_of_date") }} as days_ago
    from plan_days
    inner join versions
        on
            plan_days.version = versions.version
            and plan_days.day >= versions.in_force_from
            and plan_days.day < versions.in_force_to
    cross join horizons
    where
        plan_days.day >= {{ add_days("horizons.as_of_date", "-" ~ scatter_days()) }}
        and plan_days.day < horizons.last_end_date

),

paced as (

    select
        targets.scope,
        case when targets.metric = 'leads' then 'lead' else targets.metric end as stream,
        pace.day,
        cast(targets.plan_value as double) * pace.weight / pace.period_weight as base,
        row_number() over (
            partition by targets.scope, targets.metric, pace.day
            order by {{ shortest_first("periods.period_kind") }}
        ) as preference
    from targets
    inner join periods
        on
            targets.version = periods.version
            and targets.period = periods.period
    left join settings
        on
            targets.version = settings.version
            and targets.scope = settings.scope
            and targets.metric = settings.metric
    inner join pace
        on
            targets.version = pace.version
            and targets.period = pace.period
            and coalesce(settings.curve, 'standard') = pace.curve
    cross join horizons
    where
        pace.day >= {{ add_days("horizons.as_of_date", "-" ~ scatter_days()) }}
        and pace.day < horizons.last_end_date

),

planned as (

    select
        scope,
        stream,
        day,
        base
    from paced
    where preference = 1

),

-- Which streams of a scope the plan paces itself.
is_planned as (

    select distinct
        planned.scope,
        planned.stream
    from planned

),

arrived_by_campaign as (

    select
        steps.from_stage as stream,
        entries.campaign_key,
        entries.age_days as days_ago,
        cast(count(*) as bigint) as arrived
    from entries
    inner join steps on entries.step = steps.step
    where steps.from_position = 1 and entries.age_days <= {{ scatter_days() }}
    group by steps.from_stage, entries.campaign_key, entries.age_days

    union all

    select
        'budget' as stream,
        daily.campaign_key,
        {{ days_between("daily.day", "horizons.as_of_date") }} as days_ago,
        daily.numerator as arrived
    from daily
    cross join horizons
    where daily.day >= {{ add_days("horizons.as_of_date", "-" ~ scatter_days()) }}

),

arrived as (

    select
        members.scope,
        arrived_by_campaign.stream,
        arrived_by_campaign.days_ago,
        {{ exact_sum("arrived_by_campaign.arrived") }} as arrived
    from arrived_by_campaign
    inner join members on arrived_by_campaign.campaign_key = members.campaign_key
    group by members.scope, arrived_by_campaign.stream, arrived_by_campaign.days_ago

),

final as (

    select
        scopes.scope,
        streams.stream,
        streams.position,
        days.day,
        days.days_ago,
        case when is_planned.scope is null then cast(days.weight as double) else planned.base end
            as base,
        is_planned.scope is not null as is_planned,
        coalesce(arrived.arrived, 0) as arrived
    from scopes
    cross join streams
    cross join days
    left join is_planned
        on
            scopes.scope = is_planned.scope
            and streams.stream = is_planned.stream
    left join planned
        on
            scopes.scope = planned.scope
            and streams.stream = planned.stream
            and days.day = planned.day
    left join arrived
        on
            scopes.scope = arrived.scope
            and streams.stream = arrived.stream
            and days.days_ago = arrived.days_ago

)

select * from final
