/*
id: P4
title: Every KPI has one owner
meaning: >
  Whatever has a target has exactly one line in the sheet KPIs that applies to it: one accountable
  person, how far it may miss and how soon a miss must be answered; a rate also says how many days a
  lead has. A line for a scope beats the one for all. The handoff from MQL to accepted lead belongs
  to neither Marketing nor Sales, because each would blame the other. Where both sides agreed to
  pivot at a miss (trigger_pct), that miss is no smaller than the tolerance.
severity: block
unit: rows
forgivable: false
waivable: true
owner: Revenue operations, who keep the plan's sheets
what_to_do: >
  Open the sheet kpis at the row named, or add the line that is missing. Name one person of the
  sheet people, a tolerance in percent and a cadence in days; delete the second of two lines. Of a
  locked version make an amendment (`tieout plan amend`).
*/

-- query: applies
-- Says nothing while any of these tables has rows: an emptied table must not pass for no plan.
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
-- Every metric and scope that has a target.
with

targeted as (

    select distinct
        targets.version,
        targets.metric,
        targets.scope
    from audit.plan_target as targets
    inner join audit.plan_version as versions on targets.version = versions.version
    cross join audit.run
    where versions.effective_to is null or versions.effective_to > run.as_of_date

),

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        count(*) as checked
    from targeted

)

select * from final;

-- query: offenders
with

current_versions as (

    select versions.version
    from audit.plan_version as versions
    cross join audit.run
    where versions.effective_to is null or versions.effective_to > run.as_of_date

),

targeted as (

    select
        targets.version,
        targets.metric,
        targets.scope,
        min(targets.sheet_row) as target_row
    from audit.plan_target as targets
    inner join current_versions on targets.version = current_versions.version
    group by targets.version, targets.metric, targets.scope

),

-- A line of the scope's own stands before one of all scopes; of each kind there may be one.
kpi_lines as (

    select
        kpis.*,
        dim_kpi.unit,
        people.person is not null as has_owner,
        row_number() over same_kind as line_number,
        min(kpis.sheet_row) over (partition by kpis.version, kpis.metric, kpis.scope) as first_row
    from audit.plan_kpi as kpis
    inner join current_versions on kpis.version = current_versions.version
    left join main.dim_kpi as dim_kpi on kpis.metric = dim_kpi.metric
    left join audit.plan_person as people
        on kpis.version = people.version and kpis.owner = people.person
    window same_kind as (
        partition by kpis.version, kpis.metric, kpis.scope
        order by kpis.sheet_row
    )

),

applied as (

    select
        targeted.version,
        targeted.metric,
        targeted.scope,
        targeted.target_row,
        coalesce(own_line.sheet_row, common_line.sheet_row) as sheet_row
    from targeted
    left join kpi_lines as own_line
        on
            targeted.version = own_line.version
            and targeted.metric = own_line.metric
            and targeted.scope = own_line.scope
            and own_line.line_number = 1
    left join kpi_lines as common_line
        on
            targeted.version = common_line.version
            and targeted.metric = common_line.metric
            and common_line.scope is null
            and common_line.line_number = 1

),

applying_rows as (

    select distinct
        version,
        sheet_row
    from applied
    where sheet_row is not null

),

applying_lines as (

    select kpi_lines.*
    from kpi_lines
    inner join applying_rows
        on
            kpi_lines.version = applying_rows.version
            and kpi_lines.sheet_row = applying_rows.sheet_row

),

problems as (

    select
        'no line applies to it' as problem,
        version,
        'targets' as sheet,
        target_row as sheet_row,
        metric as sheet_column,
        scope,
        metric,
        'a line in kpis' as expected,
        'none' as actual
    from applied
    where sheet_row is null

    union all

    select
        'a second line for the same' as problem,
        version,
        'kpis' as sheet,
        sheet_row,
        'metric' as sheet_column,
        scope,
        metric,
        'one line' as expected,
        'also in row ' || first_row as actual
    from kpi_lines
    where line_number > 1

    union all

    select
        'nobody answers for it' as problem,
        version,
        'kpis' as sheet,
        sheet_row,
        'owner' as sheet_column,
        scope,
        metric,
        'one of people' as expected,
        coalesce(owner, 'nobody') as actual
    from applying_lines
    where not has_owner

    union all

    select
        'the handoff belongs to one of the two sides' as problem,
        version,
        'kpis' as sheet,
        sheet_row,
        'owner' as sheet_column,
        scope,
        metric,
        'neither marketing nor sales' as expected,
        owner || ' of ' || owner_department as actual
    from applying_lines
    where metric = 'rate_mql_sal' and owner_department in ('marketing', 'sales')

    union all

    select
        'no tolerance is stated' as problem,
        version,
        'kpis' as sheet,
        sheet_row,
        'tolerance_pct' as sheet_column,
        scope,
        metric,
        'a percentage' as expected,
        'nothing' as actual
    from applying_lines
    where tolerance_pct is null

    union all

    select
        'no cadence is stated' as problem,
        version,
        'kpis' as sheet,
        sheet_row,
        'cadence_days' as sheet_column,
        scope,
        metric,
        'days' as expected,
        'nothing' as actual
    from applying_lines
    where cadence_days is null

    union all

    select
        'both sides would pivot before it counts as a miss' as problem,
        version,
        'kpis' as sheet,
        sheet_row,
        'trigger_pct' as sheet_column,
        scope,
        metric,
        'at least the tolerance, ' || rtrim(rtrim(cast(tolerance_pct as varchar), '0'), '.')
        as expected,
        rtrim(rtrim(cast(trigger_pct as varchar), '0'), '.') as actual
    from applying_lines
    where trigger_pct < tolerance_pct

    union all

    select
        'no window is stated' as problem,
        version,
        'kpis' as sheet,
        sheet_row,
        'window_days' as sheet_column,
        scope,
        metric,
        'days' as expected,
        'nothing' as actual
    from applying_lines
    where coalesce(unit = 'rate', true) and window_days is null

),

final as (

    select
        cast(null as varchar) as feed,
        *
    from problems
    order by version, sheet, sheet_row, metric, problem

)

select * from final;
