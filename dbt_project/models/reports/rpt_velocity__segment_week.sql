-- How much revenue a day the pipeline is making, week by week, what moved it, and is it the plan's.
-- Grain: scope (company, and the segments and channels of the plan in force), week_start_date.
-- New business only. Read at the end of the week's last day, or at as_of in the week that runs.
--
-- Velocity = open opportunities × win rate × ACV ÷ cycle days, minor units a day, all four of one
-- window: the days in which the plan (of the day, else the newest) wants a deal won, else 90. Open:
-- those opened within the window, and their average value, by the pipeline journal as on that day;
-- older ones are stale.
-- Win rate and cycle: of the deals opened in the 13 weeks that ended a window before, so that each
-- has had its whole window: the share won within it, and the mean days that all of them were open
-- in it (at least 1). Deals that are open are thus neither losses nor short cycles, however young
-- the company is; until a deal has had its window there is no velocity. With the cycle of all deals
-- and not of the won ones alone, velocity is what is won a day if nothing changes (Little 1961);
-- deals that nobody closes slow it down rather than speeding it up.
--
-- What moved it: the change against the week before, divided over the four factors by logarithmic
-- mean weights (LMDI, Ang 2005), which leave no remainder, in whole minor units by largest
-- remainder. Where a factor is zero at one end, the change is that factor's.
--
-- The plan's velocity: opportunities a day × win rate × ACV of the shortest period that states
-- them, which is what is won a day by the plan. An alarm: below it by more than the tolerance of
-- bookings and by more than variance_sigma standard errors, at the ends of two weeks in a row. The
-- errors are those of a company that is on plan: of the deals that the plan expects to be open and
-- to be won, with amounts and cycles that scatter as much as they average; the miss is read on
-- square roots, on which counts scatter alike however few they are (Anscombe 1948). A plan of three
-- deals cannot alarm; a plan of sixty of which three came does.

{% set lookback_days = 91 %}
{% set factors = ["open_opportunities", "win_rate", "acv", "cycle_days"] %}

with

opportunities as (

    select * from {{ ref("fct_opportunity") }}
    where is_new_business

),

journal as (

    select * from {{ ref("fct_pipeline_journal__entry") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

members as (

    select * from {{ ref("int_plan__scope_member") }}

),

plan_scopes as (

    select * from {{ ref("stg_landed__plan_scope") }}
    where level in ('segment', 'channel') and not is_stretch

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}

),

targets as (

    select * from {{ ref("int_plan__target") }}
    where metric in ('opportunities', 'rate_opportunity_won', 'acv')

),

plan_periods as (

    select * from {{ ref("stg_landed__plan_period") }}

),

campaigns as (

    select * from {{ ref("dim_campaign") }}

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

run_parameter as (

    select
        as_of,
        time_zone,
        {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

deals as (

    select
        opportunities.opportunity_id,
        opportunities.campaign_key,
        opportunities.opened_date,
        {{ local_date("opportunities.won_at", "run_parameter.time_zone") }} as won_date,
        case
            when not opportunities.is_open
                then {{ local_date("opportunities.stage_entered_at", "run_parameter.time_zone") }}
        end as closed_date
    from opportunities
    cross join run_parameter

),

newest_version as (

    select max(version) as version
    from versions
    where is_in_force_today

),

scopes as (

    select 'company' as scope

    union all

    select plan_scopes.scope
    from plan_scopes
    inner join newest_version on plan_scopes.version = newest_version.version

),

scope_campaigns as (

    select
        'company' as scope,
        campaign_key
    from campaigns

    union all

    select
        members.scope,
        members.campaign_key
    from members
    inner join newest_version on members.version = newest_version.version
    inner join plan_scopes
        on
            members.version = plan_scopes.version
            and members.scope = plan_scopes.scope

),

first_day as (

    select min(opened_date) as opened_date
    from deals

),

weeks as (

    select distinct
        calendar_days.week_start,
        least({{ add_days("calendar_days.week_end", -1) }}, run_parameter.as_of_date)
            as measured_date,
        calendar_days.week_end <= run_parameter.as_of_date as is_complete
    from calendar_days
    cross join run_parameter
    cross join first_day
    where
        calendar_days.day >= first_day.opened_date
        and calendar_days.day <= run_parameter.as_of_date

),

in_force as (

    select
        weeks.week_start,
        weeks.measured_date,
        weeks.is_complete,
        least(calendar_days.ends_at, run_parameter.as_of) as measured_at,
        versions.version,
        coalesce(windows.window_days, newest_windows.window_days, 90) as window_days,
        coalesce(versions.variance_sigma, 0) as variance_sigma
    from weeks
    inner join calendar_days on weeks.measured_date = calendar_days.day
    cross join run_parameter
    left join versions
        on
            weeks.measured_date >= versions.in_force_from
            and weeks.measured_date < versions.in_force_to
    left join settings as windows
        on
            versions.version = windows.version
            and windows.scope = 'company'
            and windows.metric = 'rate_opportunity_won'
    cross join newest_version
    left join settings as newest_windows
        on
            newest_version.version = newest_windows.version
            and newest_windows.scope = 'company'
            and newest_windows.metric = 'rate_opportunity_won'

),

grid as (

    select
        scopes.scope,
        in_force.*
    from scopes
    cross join in_force

),

-- What is open in the window: the sum of the entries of those deals up to the day.
window_deals as (

    select
        grid.scope,
        grid.week_start,
        {{ exact_sum("journal.deals") }} as open_opportunities,
        {{ exact_sum("journal.deals_without_amount") }} as open_without_amount,
        {{ exact_sum("journal.reporting_amount_minor") }} as open_pipeline_minor
    from grid
    inner join scope_campaigns on grid.scope = scope_campaigns.scope
    inner join deals
        on
            scope_campaigns.campaign_key = deals.campaign_key
            and grid.measured_date >= deals.opened_date
            and {{ add_days("grid.measured_date", "-grid.window_days") }} < deals.opened_date
    inner join journal
        on
            deals.opportunity_id = journal.opportunity_id
            and grid.measured_date >= journal.posted_date
    group by grid.scope, grid.week_start

),

-- What is open at all.
entries as (

    select
        scope_campaigns.scope,
        weeks.week_start,
        {{ exact_sum("journal.deals") }} as deals
    from journal
    inner join deals on journal.opportunity_id = deals.opportunity_id
    inner join scope_campaigns on deals.campaign_key = scope_campaigns.campaign_key
    cross join first_day
    inner join calendar_days
        on greatest(journal.posted_date, first_day.opened_date) = calendar_days.day
    inner join weeks on calendar_days.week_start = weeks.week_start
    group by scope_campaigns.scope, weeks.week_start

),

open_deals as (

    select
        grid.scope,
        grid.week_start,
        {{ running_total("entries.deals", "grid.scope", "grid.week_start") }} as every_open
    from grid
    left join entries
        on
            grid.scope = entries.scope
            and grid.week_start = entries.week_start

),

-- The deals that have had their whole window, of the 13 weeks before it.
matured_deals as (

    select
        grid.scope,
        grid.week_start,
        count(*) as matured,
        count(
            case
                when {{ days_between("deals.opened_date", "deals.won_date") }} <= grid.window_days
                    then 1
            end
        ) as wins,
        {{ exact_sum(
            "greatest(1, least(grid.window_days, coalesce("
            ~ days_between("deals.opened_date", "deals.closed_date") ~ ", grid.window_days)))"
        ) }} as cycle_days_sum
    from grid
    inner join scope_campaigns on grid.scope = scope_campaigns.scope
    inner join deals
        on
            scope_campaigns.campaign_key = deals.campaign_key
            and deals.opened_date <= {{ add_days("grid.measured_date", "-grid.window_days") }}
            and deals.opened_date
            > {{ add_days("grid.measured_date", "-grid.window_days - " ~ lookback_days) }}
    group by grid.scope, grid.week_start

),

-- Of each figure that of the shortest period that states it.
stated as (

    select
        grid.scope,
        grid.week_start,
        targets.metric,
        targets.plan_value,
        {{ days_between("plan_periods.period_start_date", "plan_periods.period_end_date") }}
            as period_days,
        row_number() over (
            partition by grid.scope, grid.week_start, targets.metric
            order by {{ shortest_first("plan_periods.period_kind") }}
        ) as preference
    from grid
    inner join plan_periods
        on
            grid.version = plan_periods.version
            and grid.measured_date >= plan_periods.period_start_date
            and grid.measured_date < plan_periods.period_end_date
    inner join targets
        on
            grid.version = targets.version
            and plan_periods.period = targets.period
            and grid.scope = targets.scope

),

planned as (

    select
        scope,
        week_start,
        max(
            case
                when metric = 'opportunities'
                    then cast(plan_value as double) / cast(period_days as double)
            end
        ) as opened_per_day,
        max(case when metric = 'rate_opportunity_won' then cast(plan_value as double) end)
            as win_rate,
        max(case when metric = 'acv' then cast(plan_value as double) end) as acv_minor
    from stated
    where preference = 1
    group by scope, week_start

),

measured as (

    select
        grid.*,
        open_deals.every_open,
        coalesce(window_deals.open_opportunities, 0) as open_opportunities,
        coalesce(window_deals.open_pipeline_minor, 0) as open_pipeline_minor,
        coalesce(window_deals.open_opportunities - window_deals.open_without_amount, 0) as priced,
        coalesce(matured_deals.matured, 0) as matured,
        coalesce(matured_deals.wins, 0) as wins,
        matured_deals.cycle_days_sum,
        planned.opened_per_day,
        planned.win_rate as planned_win_rate,
        planned.acv_minor as planned_acv_minor,
        bookings.tolerance_pct,
        handoff.owner,
        least(
            {{ lookback_days }},
            {{ days_between("first_day.opened_date", "grid.measured_date") }}
            - grid.window_days + 1
        ) as matured_days
    from grid
    cross join first_day
    inner join open_deals
        on
            grid.scope = open_deals.scope
            and grid.week_start = open_deals.week_start
    left join window_deals
        on
            grid.scope = window_deals.scope
            and grid.week_start = window_deals.week_start
    left join matured_deals
        on
            grid.scope = matured_deals.scope
            and grid.week_start = matured_deals.week_start
    left join planned
        on
            grid.scope = planned.scope
            and grid.week_start = planned.week_start
    left join settings as bookings
        on
            grid.version = bookings.version
            and grid.scope = bookings.scope
            and bookings.metric = 'bookings'
    left join settings as handoff
        on
            grid.version = handoff.version
            and grid.scope = handoff.scope
            and handoff.metric = 'rate_mql_sal'

),

valued as (

    select
        *,
        case
            when matured = 0 then null
            when open_opportunities = 0 or wins = 0 then 0
            when priced > 0 and open_pipeline_minor >= 0
                then cast(
                    {{ whole_share(
                        "open_pipeline_minor",
                        "open_opportunities * wins",
                        "(cycle_days_sum * priced)",
                    ) }} as bigint
                )
        end as velocity_minor,
        cast(round(opened_per_day * planned_win_rate * planned_acv_minor) as bigint)
            as planned_velocity_minor,
        -- Deals that the plan expects to be open, at the cycle there is, and to have been won.
        opened_per_day * cycle_days_sum / matured as expected_open,
        opened_per_day * greatest(matured_days, 0) * planned_win_rate as expected_wins
    from measured

),

compared as (

    select
        *,
        lag(velocity_minor) over weeks_of_scope as before_velocity_minor,
        lag(open_opportunities) over weeks_of_scope as before_open_opportunities,
        lag(open_pipeline_minor) over weeks_of_scope as before_open_pipeline_minor,
        lag(priced) over weeks_of_scope as before_priced,
        lag(matured) over weeks_of_scope as before_matured,
        lag(wins) over weeks_of_scope as before_wins,
        lag(cycle_days_sum) over weeks_of_scope as before_cycle_days_sum,
        velocity_minor - lag(velocity_minor) over weeks_of_scope as change_minor,
        velocity_minor < planned_velocity_minor as is_below_plan,
        coalesce(
            velocity_minor
            < planned_velocity_minor * (1 - cast(tolerance_pct as double) / 100.0e0)
            and 2.0e0
            * (1.0e0 - sqrt(velocity_minor / cast(nullif(planned_velocity_minor, 0) as double)))
            > cast(variance_sigma as double)
            * sqrt(2.0e0 / nullif(expected_open, 0) + 1.0e0 / nullif(expected_wins, 0)),
            false
        ) as is_miss
    from valued
    window weeks_of_scope as (
        partition by scope
        order by week_start
    )

),

logged as (

    select
        *,
        ln(cast(open_opportunities as double) / before_open_opportunities) as log_open,
        ln(
            (cast(wins as double) / matured) / (cast(before_wins as double) / before_matured)
        ) as log_win_rate,
        ln(
            (cast(open_pipeline_minor as double) / priced)
            / (cast(before_open_pipeline_minor as double) / before_priced)
        ) as log_acv,
        -ln(
            (cast(cycle_days_sum as double) / matured)
            / (cast(before_cycle_days_sum as double) / before_matured)
        ) as log_cycle,
        -- Their logarithmic mean: what a logarithm of a factor is worth.
        case
            when velocity_minor = before_velocity_minor then cast(velocity_minor as double)
            else change_minor / (ln(cast(velocity_minor as double)) - ln(before_velocity_minor))
        end as log_mean
    from compared
    where
        velocity_minor > 0
        and before_velocity_minor > 0

),

parts as (

    {%- for factor, logarithm in [
        ("open_opportunities", "log_open"),
        ("win_rate", "log_win_rate"),
        ("acv", "log_acv"),
        ("cycle_days", "log_cycle"),
    ] %}

    select
        scope,
        week_start,
        change_minor,
        {{ loop.index }} as factor_number,
        '{{ factor }}' as factor,
        cast(round(log_mean * {{ logarithm }} * 10000) as bigint) as part
    from logged
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

floored as (

    select
        *,
        {{ floor_div("part", 10000) }} as whole_part,
        row_number() over (
            partition by scope, week_start
            order by {{ floor_mod("part", 10000) }} desc, factor_number
        ) - 1 as rank,
        change_minor - sum({{ floor_div("part", 10000) }}) over (partition by scope, week_start)
            as left_over
    from parts

),

shared as (

    select
        scope,
        week_start,
        {%- for factor in factors %}
        {{ exact_sum(
            "case when factor = '" ~ factor ~ "' then whole_part + "
            ~ equal_share("cast(left_over as bigint)", 4, "rank") ~ " end"
        ) }} as {{ factor }}_part_minor,
        {%- endfor %}
        count(*) as parts
    from floored
    group by scope, week_start

),

-- Where one end is nothing, the change is of the factors that are nothing there.
nothing as (

    select
        scope,
        week_start,
        change_minor,
        wins = 0 or before_wins = 0 as is_of_wins,
        open_opportunities = 0 or before_open_opportunities = 0 as is_of_open
    from compared
    where
        velocity_minor = 0
        or before_velocity_minor = 0

),

-- A run of alarms begins with the second week in a row that misses.
alarms as (

    select
        *,
        is_miss and coalesce(lag(is_miss) over weeks_of_scope, false) as is_alarm
    from compared
    window weeks_of_scope as (
        partition by scope
        order by week_start
    )

),

-- The week that runs raises none: it can only end one.
started as (

    select
        *,
        case
            when is_complete then is_alarm
            else is_alarm and coalesce(lag(is_alarm) over weeks_of_scope, false)
        end as is_standing
    from alarms
    window weeks_of_scope as (
        partition by scope
        order by week_start
    )

),

beginnings as (

    select
        *,
        case
            when is_standing and not coalesce(lag(is_standing) over weeks_of_scope, false)
                then measured_at
        end as began_at
    from started
    window weeks_of_scope as (
        partition by scope
        order by week_start
    )

),

dated as (

    select
        *,
        max(began_at) over (
            partition by scope
            order by week_start
        ) as latest_began_at
    from beginnings

),

final as (

    select
        -- ids
        dated.scope,
        -- text
        dated.owner,
        -- numbers
        dated.version as plan_version,
        dated.velocity_minor,
        dated.planned_velocity_minor,
        dated.open_opportunities,
        dated.every_open - dated.open_opportunities as stale_opportunities,
        dated.open_pipeline_minor,
        cast(round({{ quotient("dated.open_pipeline_minor", "dated.priced") }}, 0) as bigint)
            as acv_minor,
        {{ quotient("dated.wins", "dated.matured") }} as win_rate,
        {{ quotient("dated.cycle_days_sum", "dated.matured") }} as cycle_days,
        dated.matured,
        dated.wins,
        dated.window_days,
        cast(round(dated.expected_wins, 6) as decimal(18, 6)) as expected_wins,
        cast(round(dated.planned_win_rate, 9) as decimal(38, 9)) as planned_win_rate,
        cast(round(dated.planned_acv_minor) as bigint) as planned_acv_minor,
        dated.change_minor,
        case
            when dated.change_minor is null then null
            when shared.scope is not null then shared.open_opportunities_part_minor
            when nothing.is_of_open and nothing.is_of_wins
                then {{ equal_share("dated.change_minor", 2, 0) }}
            when nothing.is_of_open then dated.change_minor
            else 0
        end as open_opportunities_part_minor,
        case
            when dated.change_minor is null then null
            when shared.scope is not null then shared.win_rate_part_minor
            when nothing.is_of_open and nothing.is_of_wins
                then {{ equal_share("dated.change_minor", 2, 1) }}
            when nothing.is_of_open then 0
            else dated.change_minor
        end as win_rate_part_minor,
        case
            when dated.change_minor is not null then coalesce(shared.acv_part_minor, 0)
        end as acv_part_minor,
        case
            when dated.change_minor is not null then coalesce(shared.cycle_days_part_minor, 0)
        end as cycle_days_part_minor,
        -- booleans
        dated.is_below_plan,
        dated.is_standing as is_alarm,
        dated.is_complete,
        -- times
        dated.week_start as week_start_date,
        dated.measured_at,
        case when dated.is_standing then dated.latest_began_at end as alarmed_at
    from dated
    left join shared
        on
            dated.scope = shared.scope
            and dated.week_start = shared.week_start
    left join nothing
        on
            dated.scope = nothing.scope
            and dated.week_start = nothing.week_start

)

select * from final
