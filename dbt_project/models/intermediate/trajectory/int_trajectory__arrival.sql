-- What is still to arrive: leads, spend, and whoever enters a later stage from outside, by day.
-- Grain: scope, stream, day; days from as_of to the end of the last open period.
-- Streams are `budget` and, for each stage up to the opportunity, its name. The plan's own daily
-- pace (of the shortest period that has a target) times the level: actual over planned of the last
-- eight weeks, pulled towards the company's level, and that towards the plan, by as much as weeks
-- scatter (quasi-Poisson, by one, four or eight weeks, whichever scatter most). A scope without a
-- target has the weights of the days alone. Today counts as expected less what has already come.

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

entries as (

    select * from {{ ref("int_trajectory__entry") }}

),

steps as (

    select * from {{ ref("int_trajectory__step") }}
    where not is_whole_deal

),

levels as (

    select * from {{ ref("int_trajectory__level") }}
    where not is_whole_deal

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
        from_stage,
        cast(from_position as bigint) as position
    from steps
    where not is_deal or from_position = opening_position

    union all

    select
        'budget' as stream,
        cast(null as varchar) as from_stage,
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
        plan_days.day >= {{ add_days("horizons.as_of_date", "-168") }}
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
            order by case periods.period_kind when 'month' then 1 when 'quarter' then 2 else 3 end
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
        pace.day >= {{ add_days("horizons.as_of_date", "-168") }}
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

bases as (

    select
        scopes.scope,
        streams.stream,
        streams.position,
        days.day,
        days.days_ago,
        case when is_planned.scope is null then cast(days.weight as double) else planned.base end
            as base,
        is_planned.scope is not null as is_planned
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

),

-- Leads by campaign and day; spend likewise.
arrived_by_campaign as (

    select
        steps.from_stage as stream,
        entries.campaign_key,
        entries.age_days as days_ago,
        cast(count(*) as bigint) as arrived
    from entries
    inner join steps on entries.step = steps.step
    where steps.from_position = 1 and entries.age_days <= 168
    group by steps.from_stage, entries.campaign_key, entries.age_days

    union all

    select
        'budget' as stream,
        daily.campaign_key,
        {{ days_between("daily.day", "horizons.as_of_date") }} as days_ago,
        daily.numerator as arrived
    from daily
    cross join horizons
    where
        daily.day >= {{ add_days("horizons.as_of_date", "-168") }}
        and daily.day <= horizons.as_of_date

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

spans as (

    select cast(7 as bigint) as days

    union all

    select cast(28 as bigint) as days

    union all

    select cast(56 as bigint) as days

),

by_day as (

    select
        bases.scope,
        bases.stream,
        bases.days_ago,
        bases.base,
        coalesce(arrived.arrived, 0) as arrived
    from bases
    left join arrived
        on
            bases.scope = arrived.scope
            and bases.stream = arrived.stream
            and bases.days_ago = arrived.days_ago
    where
        bases.days_ago > 0
        and bases.base is not null
        and (bases.position is null or bases.position = 1)

),

of_late as (

    select
        scope,
        stream,
        {{ steady_sum("base / 1e3") }} * 1e3 as all_base,
        {{ exact_sum("arrived") }} as all_arrived,
        {{ steady_sum(
            "case when days_ago <= " ~ level_days() ~ " then base / 1e3 else 0 end"
        ) }} * 1e3 as base,
        {{ exact_sum("case when days_ago <= " ~ level_days() ~ " then arrived else 0 end") }}
            as arrived
    from by_day
    group by scope, stream

),

by_block as (

    select
        by_day.scope,
        by_day.stream,
        spans.days,
        {{ floor_div("by_day.days_ago - 1", "spans.days") }} as block,
        {{ steady_sum("by_day.base / 1e3") }} * 1e3 as base,
        {{ exact_sum("by_day.arrived") }} as arrived
    from by_day
    cross join spans
    group by
        by_day.scope,
        by_day.stream,
        spans.days,
        {{ floor_div("by_day.days_ago - 1", "spans.days") }}

),

fitted as (

    select
        by_block.*,
        by_block.base * of_late.all_arrived / nullif(of_late.all_base, 0) as fitted
    from by_block
    inner join of_late
        on
            by_block.scope = of_late.scope
            and by_block.stream = of_late.stream

),

-- What they scatter by before there are any: as a Poisson count, or by 14 percent of a block's
-- spend.
scatters_by_span as (

    select
        scope,
        stream,
        days,
        count(*) as blocks,
        (
            {{ steady_sum("power(arrived - fitted, 2) / fitted / 1e3") }} * 1e3
            + {{ prior_weeks() }} * case
                when stream = 'budget' then 0.02 * {{ steady_sum("fitted / 1e3") }} * 1e3 / count(*)
                else 1
            end
        ) / (count(*) - 1 + {{ prior_weeks() }}) as scatter
    from fitted
    where fitted > 0.2
    group by scope, stream, days

),

scatters_found as (

    select
        longer.scope,
        longer.stream,
        max(
            {{ scatter_shown(
                "longer.scatter",
                "weekly.scatter",
                "case when longer.stream = 'budget' then weekly.scatter"
                ~ " else least(weekly.scatter, 1) end",
                "longer.blocks",
            ) }}
        ) as scatter
    from scatters_by_span as longer
    inner join scatters_by_span as weekly
        on
            longer.scope = weekly.scope
            and longer.stream = weekly.stream
            and weekly.days = 7
    group by longer.scope, longer.stream

),

scatters as (

    select
        of_late.scope,
        of_late.stream,
        of_late.base,
        of_late.arrived,
        coalesce(scatters_found.scatter, 1) as scatter,
        -- Of spend, an event is what it scatters by.
        case
            when of_late.stream = 'budget' then coalesce(scatters_found.scatter, 1)
            else least(coalesce(scatters_found.scatter, 1), 1)
        end as event
    from of_late
    left join scatters_found
        on
            of_late.scope = scatters_found.scope
            and of_late.stream = scatters_found.stream

),

company as (

    select
        stream,
        (arrived + {{ prior_events() }} * event)
        / nullif(base + {{ prior_events() }} * event, 0) as level
    from scatters
    where scope = 'company'

),

paced_levels as (

    select
        scatters.scope,
        scatters.stream,
        scatters.scatter,
        scatters.arrived,
        case
            when is_planned.scope is null
                then scatters.arrived / nullif(scatters.base, 0)
            when scatters.scope = 'company' or company.level is null
                then
                    (scatters.arrived + {{ prior_events() }} * scatters.event)
                    / nullif(scatters.base + {{ prior_events() }} * scatters.event, 0)
            else
                company.level
                * (scatters.arrived + {{ prior_scope_events() }} * scatters.event)
                / nullif(
                    company.level * scatters.base
                    + {{ prior_scope_events() }} * scatters.event, 0
                )
        end as level,
        scatters.scatter
        / nullif(
            scatters.arrived + scatters.event * {{ prior_events() }}, 0
        ) as level_variance
    from scatters
    left join is_planned
        on
            scatters.scope = is_planned.scope
            and scatters.stream = is_planned.stream
    left join company on scatters.stream = company.stream

),

weights as (

    select cast({{ exact_sum("weight") }} as double) as weight
    from days
    where days_ago between 1 and {{ level_days() }}

),

-- From outside: as many a day, by the weights of days, as of late.
outside_levels as (

    select
        levels.scope,
        streams.stream,
        cast(1 as double) as scatter,
        levels.outside as arrived,
        levels.outside / nullif(weights.weight, 0) as level,
        1.0 / (levels.outside + 1) as level_variance
    from levels
    inner join streams on levels.to_position = streams.position
    cross join weights
    where streams.position > 1 and levels.outside > 0

),

watched as (

    select
        scope,
        stream,
        count(*) as watched_days
    from bases
    where base is not null and days_ago between 1 and {{ level_days() }}
    group by scope, stream

),

all_levels as (

    select * from paced_levels

    union all

    select * from outside_levels

),

final as (

    select
        bases.scope,
        bases.stream,
        bases.position,
        bases.day,
        case
            when bases.days_ago = 0
                then greatest(
                    bases.base * all_levels.level - coalesce(arrived.arrived, 0), 0
                )
            else bases.base * all_levels.level
        end as expected,
        all_levels.level,
        all_levels.level_variance,
        all_levels.scatter,
        watched.watched_days
    from bases
    inner join all_levels
        on
            bases.scope = all_levels.scope
            and bases.stream = all_levels.stream
    left join watched
        on
            bases.scope = watched.scope
            and bases.stream = watched.stream
    left join arrived
        on
            bases.scope = arrived.scope
            and bases.stream = arrived.stream
            and bases.days_ago = arrived.days_ago
    where
        bases.days_ago <= 0
        and bases.base is not null
        and all_levels.level is not null

)

select * from final
