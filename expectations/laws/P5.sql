/*
id: P5
title: The plan in force is the one that was signed
meaning: >
  Every version of the plan stands as it was locked, byte for byte, follows the one before it and is
  signed by Marketing, Sales and Finance. On every day exactly one version is in force. What people
  have added since, such as commitments and waivers, is signed and complete as well.
severity: block
unit: rows
forgivable: false
waivable: false
owner: Finance as controller, with revenue operations
what_to_do: >
  The row names the file, the line, what was signed and what stands there. Put back what was signed
  (from version control or a copy) and rerun; if the change was meant, make it an amendment
  (`tieout plan amend`) and have it signed (`tieout plan sign`). Nobody can waive this law.
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
-- Every version, and what was found to be wrong with any file of the plan.
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        (select count(*) from audit.plan_version)
        + (select count(*) from audit.plan_problem) as checked

)

select * from final;

-- query: offenders
with

found_problems as (

    select
        problem,
        version,
        file,
        line,
        expected,
        found as actual
    from audit.plan_problem

),

none_in_force as (

    select
        'no version is in force' as problem,
        cast(null as bigint) as version,
        cast(null as varchar) as file,
        cast(null as bigint) as line,
        'a signed version from ' || cast(run.as_of_date as varchar) || ' or before' as expected,
        coalesce(
            'the first signed version is from '
            || (
                select cast(min(versions.effective_from) as varchar)
                from audit.plan_version as versions
                where versions.is_signed
            ),
            'no signed version'
        ) as actual
    from audit.run
    where
        not exists (
            select 1
            from audit.plan_version as versions
            where versions.is_signed and versions.effective_from <= run.as_of_date
        )
        and (
            exists (select 1 from audit.plan_version)
            or exists (select 1 from audit.plan_problem)
            or exists (select 1 from audit.plan_target)
        )

),

unsigned as (

    select
        'the version counts already and is not signed' as problem,
        versions.version,
        cast(null as varchar) as file,
        cast(null as bigint) as line,
        'signatures of marketing, sales and finance' as expected,
        coalesce(versions.signed_by, 'nobody has signed') as actual
    from audit.plan_version as versions
    cross join audit.run
    where not versions.is_signed and versions.effective_from <= run.as_of_date

),

-- Of two signed versions the earlier one ends when the later one begins.
overlapping as (

    select
        'it overlaps version ' || earlier.version as problem,
        later.version,
        cast(null as varchar) as file,
        cast(null as bigint) as line,
        'version ' || earlier.version || ' to begin before and to end by '
        || later.effective_from as expected,
        cast(earlier.effective_from as varchar) || ' to '
        || coalesce(cast(earlier.effective_to as varchar), 'no end') as actual
    from audit.plan_version as earlier
    inner join audit.plan_version as later on earlier.version < later.version
    where
        earlier.is_signed
        and later.is_signed
        and (
            earlier.effective_from >= later.effective_from
            or earlier.effective_to is null
            or earlier.effective_to > later.effective_from
        )

),

problems as (

    select * from found_problems

    union all

    select * from none_in_force

    union all

    select * from unsigned

    union all

    select * from overlapping

),

final as (

    select
        cast(null as varchar) as feed,
        *
    from problems
    order by version, file, line, problem

)

select * from final;
