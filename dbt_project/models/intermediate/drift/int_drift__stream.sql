-- The rates of the plan that cohorts are held to, and the days on which each version judges.
-- Grain: version, period, scope, metric; only rates. `cohort_number` names period, scope and
-- metric in one number: strings would be sorted with every lead.
-- A scope is held to its own rate or to the company's. A campaign for which Sales has committed to
-- a rate is a scope of its own; where only a commitment has a rate, the months are the periods and
-- `rate` is null: each cohort brings its own (int_drift__outcome).

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

periods as (

    select * from {{ ref("stg_landed__plan_period") }}

),

plan_scopes as (

    select * from {{ ref("stg_landed__plan_scope") }}
    where not is_stretch

),

targets as (

    select * from {{ ref("int_plan__target") }}
    where kind = 'rate'

),

settings as (

    select * from {{ ref("stg_landed__plan_kpi") }}

),

committed as (

    select * from {{ ref("int_drift__commitment") }}

),

scopes as (

    select
        version,
        scope
    from plan_scopes

    union

    select
        versions.version,
        committed.scope
    from versions
    cross join committed

),

-- A scope is held to its own rate or to the company's.
planned as (

    select
        scopes.version,
        scopes.scope,
        company.period,
        company.metric,
        coalesce(own.plan_value, company.plan_value) as rate
    from scopes
    inner join targets as company
        on
            scopes.version = company.version
            and company.scope = 'company'
    left join targets as own
        on
            scopes.version = own.version
            and scopes.scope = own.scope
            and company.period = own.period
            and company.metric = own.metric

    union

    select
        version,
        scope,
        period,
        metric,
        plan_value as rate
    from targets

),

-- Where only a commitment has a rate, the months are the periods.
committed_only as (

    select distinct
        periods.version,
        committed.scope,
        periods.period,
        committed.metric,
        cast(null as decimal(38, 9)) as rate
    from committed
    cross join periods
    left join planned
        on
            periods.version = planned.version
            and committed.scope = planned.scope
            and committed.metric = planned.metric
    where periods.period_kind = 'month' and planned.version is null

),

streams as (

    select * from planned

    union all

    select * from committed_only

),

ranked_settings as (

    select
        streams.version,
        streams.scope,
        streams.period,
        streams.metric,
        streams.rate,
        settings.window_days,
        row_number() over (
            partition by streams.version, streams.scope, streams.period, streams.metric
            order by
                case when settings.scope is null then 1 else 0 end,
                settings.sheet_row
        ) as preference
    from streams
    left join settings
        on
            streams.version = settings.version
            and streams.metric = settings.metric
            and coalesce(settings.scope, streams.scope) = streams.scope

),

final as (

    select
        dense_rank() over (
            order by ranked_settings.metric, ranked_settings.period, ranked_settings.scope
        ) as cohort_number,
        ranked_settings.version,
        ranked_settings.scope,
        ranked_settings.period,
        ranked_settings.metric,
        ranked_settings.rate,
        ranked_settings.window_days,
        periods.period_start_date,
        periods.period_end_date,
        greatest(periods.period_start_date, versions.in_force_from) as judged_from,
        least(periods.period_end_date, versions.in_force_to) as judged_to
    from ranked_settings
    inner join versions on ranked_settings.version = versions.version
    inner join periods
        on
            ranked_settings.version = periods.version
            and ranked_settings.period = periods.period
    where ranked_settings.preference = 1

)

select * from final
