/*
id: P3
title: The parts of the plan add up
meaning: >
  For every count and amount, campaigns add up to their channel, channels and segments each to the
  total, months to their quarter and quarters to the year, wherever the whole and at least one part
  state the figure. A part that is meant to differ is a stretch scope of its own.
severity: block
unit: rows
forgivable: false
waivable: true
owner: Revenue operations, who keep the plan's sheets
what_to_do: >
  Open the sheet targets at the row named, which is the whole. Correct it or its parts; a part that
  states nothing is named. If the total is a stretch on purpose, write the difference as a scope
  `stretch:…` of the same level, so that everybody sees it.
*/

-- query: applies
-- Says nothing where the targets or what they roll up in are empty: an emptied table must not pass.
with

contract as (

    select
        (select count(*) from audit.plan_version) as versions,
        (select count(*) from audit.plan_problem) as problems,
        (select count(*) from audit.plan_target) as targets

),

final as (

    select 'no plan' as reason
    from contract
    where versions = 0 and problems = 0 and targets = 0

)

select * from final;

-- query: measure
-- Every figure that can be a whole or a part.
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        count(*) as checked
    from audit.plan_target as targets
    inner join audit.plan_version as versions on targets.version = versions.version
    inner join audit.plan_policy as policies on targets.version = policies.version
    cross join audit.run
    where versions.effective_to is null or versions.effective_to > run.as_of_date

)

select * from final;

-- query: offenders
-- Sums and comparisons of decimals; one that does not fit offends.
with

current_versions as (

    select
        versions.version,
        policies.rollup_tolerance_pct as tolerance_pct
    from audit.plan_version as versions
    inner join audit.plan_policy as policies on versions.version = policies.version
    cross join audit.run
    where versions.effective_to is null or versions.effective_to > run.as_of_date

),

targets as (

    select
        targets.*,
        kpis.is_additive,
        periods.period is not null as has_period,
        scopes.scope is not null as has_scope
    from audit.plan_target as targets
    inner join current_versions on targets.version = current_versions.version
    left join main.dim_kpi as kpis on targets.metric = kpis.metric
    left join audit.plan_period as periods
        on targets.version = periods.version and targets.period = periods.period
    left join audit.plan_scope as scopes
        on targets.version = scopes.version and targets.scope = scopes.scope

),

totals as (

    select * from targets
    where is_additive

),

-- Each level below a scope is a way of its own to cut the whole.
scope_parts as (

    select
        totals.version,
        totals.period,
        totals.scope,
        totals.metric,
        totals.value as whole,
        totals.sheet_row,
        parts.level as parts,
        sum(figures.value) as total,
        count(figures.value) as stated,
        string_agg(parts.scope, ', ' order by parts.sheet_row)
            filter (where figures.value is null) as silent
    from totals
    inner join audit.plan_scope as parts
        on totals.version = parts.version and totals.scope = parts.parent_scope
    left join totals as figures
        on
            totals.version = figures.version
            and totals.period = figures.period
            and parts.scope = figures.scope
            and totals.metric = figures.metric
    group by
        totals.version,
        totals.period,
        totals.scope,
        totals.metric,
        totals.value,
        totals.sheet_row,
        parts.level

),

-- A year is made of quarters; where none states the figure, of months.
parts_of_periods as (

    select
        version,
        parent_period as whole_period,
        period as part_period,
        period_kind,
        period_start_date
    from audit.plan_period
    where parent_period is not null

    union all

    select
        months.version,
        quarters.parent_period as whole_period,
        months.period as part_period,
        months.period_kind,
        months.period_start_date
    from audit.plan_period as months
    inner join audit.plan_period as quarters
        on months.version = quarters.version and months.parent_period = quarters.period
    where quarters.parent_period is not null

),

period_parts as (

    select
        totals.version,
        totals.period,
        totals.scope,
        totals.metric,
        totals.value as whole,
        totals.sheet_row,
        parts.period_kind as parts,
        sum(figures.value) as total,
        count(figures.value) as stated,
        string_agg(parts.part_period, ', ' order by parts.period_start_date)
            filter (where figures.value is null) as silent
    from totals
    inner join parts_of_periods as parts
        on totals.version = parts.version and totals.period = parts.whole_period
    left join totals as figures
        on
            totals.version = figures.version
            and parts.part_period = figures.period
            and totals.scope = figures.scope
            and totals.metric = figures.metric
    group by
        totals.version,
        totals.period,
        totals.scope,
        totals.metric,
        totals.value,
        totals.sheet_row,
        parts.period_kind

),

sums as (

    select * from scope_parts
    where stated > 0

    union all

    select period_parts.*
    from period_parts
    left join period_parts as quarters
        on
            period_parts.version = quarters.version
            and period_parts.period = quarters.period
            and period_parts.scope = quarters.scope
            and period_parts.metric = quarters.metric
            and period_parts.parts = 'month'
            and quarters.parts = 'quarter'
            and quarters.stated > 0
    where period_parts.stated > 0 and quarters.version is null

),

judged as (

    select
        sums.*,
        coalesce(
            try(
                abs(sums.total - sums.whole) * 100
                <= greatest(sums.whole * current_versions.tolerance_pct, 50)
            ),
            false
        ) as adds_up
    from sums
    inner join current_versions on sums.version = current_versions.version

),

problems as (

    select
        'its ' || parts || 's add up to '
        || case when total > whole then 'more' else 'less' end as problem,
        version,
        sheet_row,
        period,
        scope,
        metric,
        parts,
        stated as parts_stated,
        silent as parts_without_figure,
        whole as expected,
        total as actual,
        total - whole as difference
    from judged
    where not adds_up

    union all

    select
        'the ' || case
            when is_additive is null then 'metric is no KPI'
            when not has_period then 'period is not in the calendar'
            else 'scope is not among the scopes'
        end || ', so nothing can add up to it' as problem,
        version,
        sheet_row,
        period,
        scope,
        metric,
        cast(null as varchar) as parts,
        cast(null as bigint) as parts_stated,
        cast(null as varchar) as parts_without_figure,
        cast(null as decimal(38, 9)) as expected,
        value as actual,
        cast(null as decimal(38, 9)) as difference
    from targets
    where is_additive is null or not has_period or not has_scope

),

final as (

    select
        cast(null as varchar) as feed,
        problem,
        version,
        'targets' as sheet,
        sheet_row,
        period,
        scope,
        metric,
        parts,
        parts_stated,
        parts_without_figure,
        rtrim(rtrim(cast(cast(expected as decimal(38, 4)) as varchar), '0'), '.') as expected,
        rtrim(rtrim(cast(cast(actual as decimal(38, 4)) as varchar), '0'), '.') as actual,
        rtrim(rtrim(cast(cast(difference as decimal(38, 4)) as varchar), '0'), '.') as difference
    from problems
    order by version, sheet_row, metric, problem

)

select * from final;
