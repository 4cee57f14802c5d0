-- What the plan asks of a KPI in a period: the whole target, and the parts of it that fall on the
-- days on which the version is in force and, of these, on those that have passed.
-- Grain: version, period, scope, metric; only versions that are in force on a day of the period.
-- Counts and amounts are paced: parts over versions add up, and are the target where nothing was
-- amended. Rates, prices and days are not additive and stand unpaced.

with

targets as (

    select * from {{ ref("int_plan__target") }}

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}

),

pace as (

    select * from {{ ref("int_plan__pace") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

periods as (

    select * from {{ ref("stg_landed__plan_period") }}

),

scopes as (

    select * from {{ ref("stg_landed__plan_scope") }}

),

measured as (

    select * from {{ ref("int_kpi__measured") }}

),

kpis as (

    select * from {{ ref("kpis") }}

),

-- What one more of each stage would be worth in pipeline, by the rates and the ACV of its own row.
funnels as (

    select
        version,
        period,
        scope,
        max(case when metric = 'acv' then cast(plan_value as decimal(28, 9)) end) as acv,
        max(
            case when metric = 'rate_lead_mql' then cast(plan_value as decimal(10, 9)) end
        ) as rate_lead_mql,
        max(
            case when metric = 'rate_mql_sal' then cast(plan_value as decimal(10, 9)) end
        ) as rate_mql_sal,
        max(
            case when metric = 'rate_sal_sql' then cast(plan_value as decimal(10, 9)) end
        ) as rate_sal_sql,
        max(
            case when metric = 'rate_sql_opportunity' then cast(plan_value as decimal(10, 9)) end
        ) as rate_sql_opportunity
    from targets
    group by version, period, scope

),

sql_worths as (

    select
        *,
        cast(acv * rate_sql_opportunity as decimal(28, 9)) as sql_worth
    from funnels

),

sal_worths as (

    select
        *,
        cast(sql_worth * rate_sal_sql as decimal(28, 9)) as sal_worth
    from sql_worths

),

mql_worths as (

    select
        *,
        cast(sal_worth * rate_mql_sal as decimal(28, 9)) as mql_worth
    from sal_worths

),

worths as (

    select
        version,
        period,
        scope,
        acv,
        sql_worth,
        sal_worth,
        mql_worth,
        cast(mql_worth * rate_lead_mql as decimal(28, 9)) as lead_worth
    from mql_worths

),

final as (

    select
        -- ids
        targets.version,
        targets.period,
        targets.scope,
        targets.metric,
        -- text
        periods.period_kind,
        targets.unit,
        targets.kind,
        kpis.better,
        kpis.activity_metric,
        kpis.value_metric,
        settings.owner,
        settings.owner_department,
        coalesce(settings.curve, 'standard') as curve,
        -- numbers
        targets.plan_value,
        case
            when targets.is_additive
                then {{ paced_value(
                    "targets.plan_value",
                    "targets.unit",
                    "pace.weight_to_end_of_force",
                    "pace.period_weight",
                ) }} - {{ paced_value(
                    "targets.plan_value",
                    "targets.unit",
                    "pace.weight_before_force",
                    "pace.period_weight",
                ) }}
            else targets.plan_value
        end as plan_in_force_value,
        case
            when targets.is_additive
                then {{ paced_value(
                    "targets.plan_value",
                    "targets.unit",
                    "pace.weight_to_date",
                    "pace.period_weight",
                ) }} - {{ paced_value(
                    "targets.plan_value",
                    "targets.unit",
                    "pace.weight_before_force",
                    "pace.period_weight",
                ) }}
            else targets.plan_value
        end as plan_to_date_value,
        {{ paced_value("1", "'share'", "pace.weight_to_end_of_force", "pace.period_weight") }}
        - {{ paced_value("1", "'share'", "pace.weight_before_force", "pace.period_weight") }}
            as in_force_share,
        {{ paced_value("1", "'share'", "pace.weight_to_date", "pace.period_weight") }}
        - {{ paced_value("1", "'share'", "pace.weight_before_force", "pace.period_weight") }}
            as to_date_share,
        case
            when targets.unit = 'minor' then cast(1 as decimal(28, 9))
            when kpis.to_stage = 'lead' then worths.lead_worth
            when kpis.to_stage = 'mql' then worths.mql_worth
            when kpis.to_stage = 'sal' then worths.sal_worth
            when kpis.to_stage = 'sql' then worths.sql_worth
            when kpis.to_stage in ('opportunity', 'won') then worths.acv
        end as unit_worth_minor,
        case when targets.metric in ('pipeline', 'bookings') then worths.acv end
            as deal_value_minor,
        settings.tolerance_pct,
        settings.cadence_days,
        settings.window_days,
        versions.variance_after_pct,
        versions.variance_sigma,
        targets.sheet_row,
        -- booleans
        targets.is_additive,
        measured.is_measured and not scopes.is_stretch as is_measured,
        -- times
        periods.period_start_date,
        periods.period_end_date,
        pace.in_force_from,
        pace.in_force_to
    from targets
    inner join kpis on targets.metric = kpis.metric
    inner join measured on targets.metric = measured.metric
    inner join versions on targets.version = versions.version
    inner join periods
        on
            targets.version = periods.version
            and targets.period = periods.period
    inner join scopes
        on
            targets.version = scopes.version
            and targets.scope = scopes.scope
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
    left join worths
        on
            targets.version = worths.version
            and targets.period = worths.period
            and targets.scope = worths.scope

)

select * from final
