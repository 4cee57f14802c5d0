-- What was counted each day for each KPI, by campaign: the actuals that plans are compared with.
-- Grain: version, campaign_key, metric, window_days, day, known_date.
-- `day` says which period and which version of the plan a figure belongs to, `known_date` since
-- when it counts; they differ only for rates: a rate belongs to the day on which the lead entered
-- its first stage and counts once the lead is decided: it went on within the window, the window
-- passed, or it left by an exit. The undecided are `waiting`, without a known_date.
-- Additive KPIs are `numerator`; rates, prices and days are `numerator` / `denominator`, each
-- additive. An opportunity without an amount is not zero: it is counted in `without_amount`.

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

spend_versions as (

    select * from {{ ref("int_spend__version") }}
    where is_current

),

lead_entries as (

    select * from {{ ref("int_kpi__lead_entry") }}

),

opportunities as (

    select * from {{ ref("int_kpi__opportunity") }}

),

outcomes as (

    select * from {{ ref("int_kpi__outcome") }}

),

targets as (

    select * from {{ ref("int_plan__target") }}
    where kind = 'rate'

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}

),

kpis as (

    select * from {{ ref("kpis") }}

),

run_parameter as (

    select {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

spend as (

    select
        versions.version,
        spend_versions.campaign_key,
        spend_versions.spend_date as day,
        {{ exact_sum("spend_versions.amount_minor") }} as amount_minor
    from spend_versions
    inner join versions
        on
            spend_versions.spend_date >= versions.in_force_from
            and spend_versions.spend_date < versions.in_force_to
    group by versions.version, spend_versions.campaign_key, spend_versions.spend_date

),

entry_days as (

    select
        version,
        campaign_key,
        stage,
        entered_date as day,
        count(*) as entries
    from lead_entries
    where version is not null
    group by version, campaign_key, stage, entered_date

),

opened as (

    select
        opened_version as version,
        campaign_key,
        opened_date as day,
        count(*) as opportunities,
        count(pipeline_minor) as valued,
        coalesce({{ exact_sum("pipeline_minor") }}, 0) as pipeline_minor
    from opportunities
    where opened_version is not null
    group by opened_version, campaign_key, opened_date

),

won as (

    select
        won_version as version,
        campaign_key,
        won_date as day,
        count(*) as wins,
        count(bookings_minor) as valued,
        coalesce({{ exact_sum("bookings_minor") }}, 0) as bookings_minor,
        count(cycle_days) as timed,
        coalesce({{ exact_sum("cycle_days") }}, 0) as cycle_days
    from opportunities
    where won_version is not null
    group by won_version, campaign_key, won_date

),

windows as (

    select distinct
        targets.version,
        targets.metric,
        settings.window_days
    from targets
    left join settings
        on
            targets.version = settings.version
            and targets.scope = settings.scope
            and targets.metric = settings.metric

),

-- Without a window the plan sets no limit: only who went on or left is decided.
decided as (

    select
        outcomes.version,
        outcomes.campaign_key,
        outcomes.metric,
        windows.window_days,
        outcomes.entered_date as day,
        case
            when
                outcomes.reached_next_date
                <= {{ add_days("outcomes.entered_date", "coalesce(windows.window_days, 36500)") }}
                then outcomes.reached_next_date
        end as converted_date,
        case
            when outcomes.ended_date is null and windows.window_days is null then null
            else least(
                coalesce(outcomes.ended_date, cast('9999-12-31' as date)),
                {{ add_days(
                    "outcomes.entered_date", "coalesce(windows.window_days, 36500) + 1"
                ) }}
            )
        end as closed_date
    from outcomes
    inner join windows
        on
            outcomes.version = windows.version
            and outcomes.metric = windows.metric

),

rates as (

    select
        decided.version,
        decided.campaign_key,
        decided.metric,
        decided.window_days,
        decided.day,
        case
            when coalesce(decided.converted_date, decided.closed_date) <= run_parameter.as_of_date
                then coalesce(decided.converted_date, decided.closed_date)
        end as known_date,
        decided.converted_date is not null as is_converted
    from decided
    cross join run_parameter

),

figures as (

    select
        version,
        campaign_key,
        'budget' as metric,
        cast(null as bigint) as window_days,
        day,
        day as known_date,
        amount_minor as numerator,
        0 as denominator,
        0 as without_amount,
        0 as waiting
    from spend

    union all

    select
        version,
        campaign_key,
        'cost_per_lead' as metric,
        cast(null as bigint) as window_days,
        day,
        day as known_date,
        amount_minor as numerator,
        0 as denominator,
        0 as without_amount,
        0 as waiting
    from spend

    union all

    select
        version,
        campaign_key,
        'cost_per_lead' as metric,
        cast(null as bigint) as window_days,
        day,
        day as known_date,
        0 as numerator,
        entries as denominator,
        0 as without_amount,
        0 as waiting
    from entry_days
    where stage = 'lead'

    union all

    select
        entry_days.version,
        entry_days.campaign_key,
        kpis.metric,
        cast(null as bigint) as window_days,
        entry_days.day,
        entry_days.day as known_date,
        entry_days.entries as numerator,
        0 as denominator,
        0 as without_amount,
        0 as waiting
    from entry_days
    inner join kpis
        on
            entry_days.stage = kpis.to_stage
            and kpis.kind = 'volume'

    union all

    select
        version,
        campaign_key,
        'opportunities' as metric,
        cast(null as bigint) as window_days,
        day,
        day as known_date,
        opportunities as numerator,
        0 as denominator,
        opportunities - valued as without_amount,
        0 as waiting
    from opened

    union all

    select
        version,
        campaign_key,
        'pipeline' as metric,
        cast(null as bigint) as window_days,
        day,
        day as known_date,
        pipeline_minor as numerator,
        0 as denominator,
        opportunities - valued as without_amount,
        0 as waiting
    from opened

    union all

    select
        version,
        campaign_key,
        'acv' as metric,
        cast(null as bigint) as window_days,
        day,
        day as known_date,
        pipeline_minor as numerator,
        valued as denominator,
        opportunities - valued as without_amount,
        0 as waiting
    from opened

    union all

    select
        version,
        campaign_key,
        'wins' as metric,
        cast(null as bigint) as window_days,
        day,
        day as known_date,
        wins as numerator,
        0 as denominator,
        wins - valued as without_amount,
        0 as waiting
    from won

    union all

    select
        version,
        campaign_key,
        'bookings' as metric,
        cast(null as bigint) as window_days,
        day,
        day as known_date,
        bookings_minor as numerator,
        0 as denominator,
        wins - valued as without_amount,
        0 as waiting
    from won

    union all

    select
        version,
        campaign_key,
        'cycle_days' as metric,
        cast(null as bigint) as window_days,
        day,
        day as known_date,
        cycle_days as numerator,
        timed as denominator,
        0 as without_amount,
        0 as waiting
    from won

    union all

    select
        version,
        campaign_key,
        metric,
        window_days,
        day,
        known_date,
        case when is_converted then 1 else 0 end as numerator,
        case when known_date is null then 0 else 1 end as denominator,
        0 as without_amount,
        case when known_date is null then 1 else 0 end as waiting
    from rates

),

final as (

    select
        version,
        campaign_key,
        metric,
        window_days,
        day,
        known_date,
        {{ exact_sum("numerator") }} as numerator,
        {{ exact_sum("denominator") }} as denominator,
        {{ exact_sum("without_amount") }} as without_amount,
        {{ exact_sum("waiting") }} as waiting
    from figures
    group by version, campaign_key, metric, window_days, day, known_date

)

select * from final
