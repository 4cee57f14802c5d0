/*
id: P6
title: Sales can work the leads that are planned
meaning: >
  The accepted leads planned for a period and scope are within what Sales says its people can work:
  representatives times leads for each. Leads that nobody can work are paid for and grow cold.
  Where one side is stated by month and the other by quarter or year, the months are added up.
severity: block
unit: rows
forgivable: false
waivable: true
owner: The head of Sales, with revenue operations
what_to_do: >
  Plan fewer accepted leads, move them to a period with room, or state more representatives or more
  leads for each in the sheet capacity, if that is true. A capacity without any planned accepted
  leads to hold it against needs a target (`sals`) of the same period and scope.
*/

-- query: applies
-- Says nothing where the capacity was emptied together with the version that it belongs to.
with

contract as (

    select
        (select count(*) from audit.plan_version) as versions,
        (select count(*) from audit.plan_problem) as problems,
        (select count(*) from audit.plan_target) as targets,
        (select count(*) from audit.plan_capacity) as capacities,
        (
            select count(*)
            from audit.plan_capacity as capacities
            inner join audit.plan_version as versions on capacities.version = versions.version
            cross join audit.run
            where versions.effective_to is null or versions.effective_to > run.as_of_date
        ) as current_capacities

),

final as (

    select
        case
            when versions = 0 then 'no plan'
            else 'no capacity is stated'
        end as reason
    from contract
    where
        (versions = 0 and problems = 0 and targets = 0 and capacities = 0)
        or (versions > 0 and current_capacities = 0)

)

select * from final;

-- query: measure
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        count(*) as checked
    from audit.plan_capacity as capacities
    inner join audit.plan_version as versions on capacities.version = versions.version
    cross join audit.run
    where versions.effective_to is null or versions.effective_to > run.as_of_date

)

select * from final;

-- query: offenders
-- Products and sums of decimals; one that does not fit offends.
with

current_versions as (

    select versions.version
    from audit.plan_version as versions
    cross join audit.run
    where versions.effective_to is null or versions.effective_to > run.as_of_date

),

capacities as (

    select
        capacities.*,
        try(cast(capacities.reps * capacities.leads_per_rep as decimal(38, 9))) as leads
    from audit.plan_capacity as capacities
    inner join current_versions on capacities.version = current_versions.version

),

sals as (

    select
        targets.version,
        targets.period,
        targets.scope,
        targets.value
    from audit.plan_target as targets
    where targets.metric = 'sals'

),

-- Every period below another: quarters and months of a year, months of a quarter.
within as (

    select
        version,
        parent_period as whole_period,
        period as part_period,
        period_kind
    from audit.plan_period
    where parent_period is not null

    union all

    select
        months.version,
        quarters.parent_period as whole_period,
        months.period as part_period,
        months.period_kind
    from audit.plan_period as months
    inner join audit.plan_period as quarters
        on months.version = quarters.version and months.parent_period = quarters.period
    where quarters.parent_period is not null

),

-- What is planned within the period of a capacity, by the kind of period it is planned in.
planned as (

    select
        capacities.version,
        capacities.period,
        capacities.scope,
        'itself' as planned_by,
        sals.value as planned
    from capacities
    inner join sals
        on
            capacities.version = sals.version
            and capacities.period = sals.period
            and capacities.scope = sals.scope

    union all

    select
        capacities.version,
        capacities.period,
        capacities.scope,
        within.period_kind as planned_by,
        sum(sals.value) as planned
    from capacities
    inner join within
        on capacities.version = within.version and capacities.period = within.whole_period
    inner join sals
        on
            within.version = sals.version
            and within.part_period = sals.period
            and capacities.scope = sals.scope
    group by capacities.version, capacities.period, capacities.scope, within.period_kind

),

-- The most that is planned: where months and quarters differ, P3 says so.
most_planned as (

    select
        version,
        period,
        scope,
        max(planned) as planned
    from planned
    group by version, period, scope

),

-- Leads planned for a longer period than the capacity is stated for.
longer as (

    select
        sals.version,
        sals.period,
        sals.scope,
        sals.value as planned,
        within.period_kind,
        sum(capacities.leads) as leads,
        count(capacities.version) as stated,
        count(*) as parts,
        bool_or(capacities.version is not null and capacities.leads is null) as is_too_large,
        min(capacities.sheet_row) as sheet_row
    from sals
    inner join within on sals.version = within.version and sals.period = within.whole_period
    left join capacities
        on
            within.version = capacities.version
            and within.part_period = capacities.period
            and sals.scope = capacities.scope
    group by
        sals.version,
        sals.period,
        sals.scope,
        sals.value,
        within.period_kind

),

compared as (

    select
        capacities.version,
        capacities.sheet_row,
        capacities.period,
        capacities.scope,
        most_planned.planned,
        capacities.leads,
        rtrim(rtrim(cast(capacities.reps as varchar), '0'), '.')
        || ' reps × '
        || rtrim(rtrim(cast(capacities.leads_per_rep as varchar), '0'), '.')
        || ' accepted leads' as arithmetic
    from capacities
    inner join most_planned
        on
            capacities.version = most_planned.version
            and capacities.period = most_planned.period
            and capacities.scope = most_planned.scope

    union all

    select
        version,
        sheet_row,
        period,
        scope,
        planned,
        case when not is_too_large then leads end as leads,
        'the capacity of its ' || parts || ' ' || period_kind || 's' as arithmetic
    from longer
    where stated = parts

),

without_leads as (

    select
        capacities.version,
        capacities.sheet_row,
        capacities.period,
        capacities.scope
    from capacities
    left join most_planned
        on
            capacities.version = most_planned.version
            and capacities.period = most_planned.period
            and capacities.scope = most_planned.scope
    left join within
        on capacities.version = within.version and capacities.period = within.part_period
    left join longer
        on
            within.version = longer.version
            and within.whole_period = longer.period
            and capacities.scope = longer.scope
            and within.period_kind = longer.period_kind
            and longer.stated = longer.parts
    group by
        capacities.version,
        capacities.sheet_row,
        capacities.period,
        capacities.scope
    having count(most_planned.version) = 0 and count(longer.version) = 0

),

problems as (

    select
        case
            when leads is null then 'the figures are too large to be multiplied'
            else 'more accepted leads are planned than Sales can work'
        end as problem,
        version,
        sheet_row,
        period,
        scope,
        arithmetic,
        leads as expected,
        planned as actual,
        planned - leads as difference
    from compared
    where coalesce(planned > leads, true)

    union all

    select
        'no accepted leads are planned to hold it against' as problem,
        version,
        sheet_row,
        period,
        scope,
        cast(null as varchar) as arithmetic,
        cast(null as decimal(38, 9)) as expected,
        cast(null as decimal(38, 9)) as actual,
        cast(null as decimal(38, 9)) as difference
    from without_leads

),

final as (

    select
        cast(null as varchar) as feed,
        problem,
        version,
        'capacity' as sheet,
        sheet_row,
        period,
        scope,
        'sals' as metric,
        arithmetic,
        rtrim(rtrim(cast(cast(expected as decimal(38, 4)) as varchar), '0'), '.') as expected,
        rtrim(rtrim(cast(cast(actual as decimal(38, 4)) as varchar), '0'), '.') as actual,
        rtrim(rtrim(cast(cast(difference as decimal(38, 4)) as varchar), '0'), '.') as difference
    from problems
    order by version, sheet_row, period, problem

)

select * from final;
