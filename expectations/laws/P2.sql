/*
id: P2
title: The promises of Marketing and Sales are one plan
meaning: >
  The MQLs that are promised, times the rates and the deal size of the same row of targets, must
  give the pipeline that is promised; that pipeline times its win rate must give the promised
  bookings; and no promise may differ from the target of its name. A department that promises
  nothing has not joined the plan.
severity: block
unit: rows
forgivable: false
waivable: true
owner: The heads of Marketing and Sales together, with Finance as controller
what_to_do: >
  Sit down with the row: it says what the promised MQLs multiply out to and what is promised. Either
  more MQLs, better rates, larger deals or less pipeline must be promised; `tieout plan check` shows
  what each of them would have to be. Of a locked version make an amendment (`tieout plan amend`).
*/

-- query: applies
-- Says nothing while any of these tables has rows: an emptied table must not pass for no plan.
with

contract as (

    select
        (select count(*) from audit.plan_version) as versions,
        (select count(*) from audit.plan_problem) as problems,
        (select count(*) from audit.plan_promise) as promises

),

final as (

    select 'no plan' as reason
    from contract
    where versions = 0 and problems = 0 and promises = 0

)

select * from final;

-- query: measure
-- Every promise, and for each version whether both departments promise anything.
with

current_versions as (

    select versions.version
    from audit.plan_version as versions
    inner join audit.plan_policy as policies on versions.version = policies.version
    cross join audit.run
    where versions.effective_to is null or versions.effective_to > run.as_of_date

),

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        count(promises.version) + 2 * count(distinct current_versions.version) as checked
    from current_versions
    left join audit.plan_promise as promises on current_versions.version = promises.version

)

select * from final;

-- query: offenders
-- Decided in decimals: every product is rounded to nine digits, half up, and one that does not fit
-- offends.
with

current_versions as (

    select
        versions.version,
        policies.promise_tolerance_pct as tolerance_pct
    from audit.plan_version as versions
    inner join audit.plan_policy as policies on versions.version = policies.version
    cross join audit.run
    where versions.effective_to is null or versions.effective_to > run.as_of_date

),

promises as (

    select
        promises.version,
        promises.department,
        promises.period,
        promises.scope,
        promises.metric,
        promises.value,
        promises.sheet_row,
        current_versions.tolerance_pct,
        rtrim(rtrim(cast(promises.value as varchar), '0'), '.') as figure
    from audit.plan_promise as promises
    inner join current_versions on promises.version = current_versions.version

),

-- The rates and the deal size that a row of targets states.
rates as (

    select
        version,
        period,
        scope,
        max(value) filter (where metric = 'rate_mql_sal') as rate_mql_sal,
        max(value) filter (where metric = 'rate_sal_sql') as rate_sal_sql,
        max(value) filter (where metric = 'rate_sql_opportunity') as rate_sql_opportunity,
        max(value) filter (where metric = 'acv') as acv,
        max(value) filter (where metric = 'rate_opportunity_won') as rate_opportunity_won
    from audit.plan_target
    group by version, period, scope

),

multiplied as (

    select
        mqls.version,
        mqls.period,
        mqls.scope,
        'pipeline' as metric,
        pipeline.department || ' promises' as who,
        pipeline.sheet_row,
        pipeline.tolerance_pct,
        pipeline.value as promised,
        'mqls × rate_mql_sal × rate_sal_sql × rate_sql_opportunity × acv = pipeline' as step,
        concat_ws(
            ' × ',
            mqls.figure,
            coalesce(rtrim(rtrim(cast(rates.rate_mql_sal as varchar), '0'), '.'), '?'),
            coalesce(rtrim(rtrim(cast(rates.rate_sal_sql as varchar), '0'), '.'), '?'),
            coalesce(rtrim(rtrim(cast(rates.rate_sql_opportunity as varchar), '0'), '.'), '?'),
            coalesce(rtrim(rtrim(cast(rates.acv as varchar), '0'), '.'), '?')
        ) as arithmetic,
        concat_ws(
            ', ',
            case when rates.rate_mql_sal is null then 'rate_mql_sal' end,
            case when rates.rate_sal_sql is null then 'rate_sal_sql' end,
            case when rates.rate_sql_opportunity is null then 'rate_sql_opportunity' end,
            case when rates.acv is null then 'acv' end
        ) as lacking,
        try(
            cast(
                cast(
                    cast(
                        cast(mqls.value * rates.rate_mql_sal as decimal(38, 9))
                        * rates.rate_sal_sql as decimal(38, 9)
                    ) * rates.rate_sql_opportunity as decimal(38, 9)
                ) * rates.acv as decimal(38, 9)
            )
        ) as multiplied_out
    from promises as mqls
    inner join promises as pipeline
        on
            mqls.version = pipeline.version
            and mqls.period = pipeline.period
            and mqls.scope = pipeline.scope
            and mqls.metric = 'mqls'
            and pipeline.metric = 'pipeline'
    left join rates
        on
            mqls.version = rates.version
            and mqls.period = rates.period
            and mqls.scope = rates.scope

),

won as (

    select
        pipeline.version,
        pipeline.period,
        pipeline.scope,
        'bookings' as metric,
        bookings.department || ' promises' as who,
        bookings.sheet_row,
        bookings.tolerance_pct,
        bookings.value as promised,
        'pipeline × rate_opportunity_won = bookings' as step,
        concat_ws(
            ' × ',
            pipeline.figure,
            coalesce(rtrim(rtrim(cast(rates.rate_opportunity_won as varchar), '0'), '.'), '?')
        ) as arithmetic,
        case when rates.rate_opportunity_won is null then 'rate_opportunity_won' else '' end
            as lacking,
        try(cast(pipeline.value * rates.rate_opportunity_won as decimal(38, 9))) as multiplied_out
    from promises as pipeline
    inner join promises as bookings
        on
            pipeline.version = bookings.version
            and pipeline.period = bookings.period
            and pipeline.scope = bookings.scope
            and pipeline.metric = 'pipeline'
            and bookings.metric = 'bookings'
    left join rates
        on
            pipeline.version = rates.version
            and pipeline.period = rates.period
            and pipeline.scope = rates.scope

),

against_targets as (

    select
        promises.version,
        promises.period,
        promises.scope,
        promises.metric,
        promises.department || ' promises' as who,
        promises.sheet_row,
        promises.tolerance_pct,
        promises.value as promised,
        'promise of ' || promises.metric || ' = target of ' || promises.metric as step,
        cast(null as varchar) as arithmetic,
        '' as lacking,
        targets.value as multiplied_out
    from promises
    inner join audit.plan_target as targets
        on
            promises.version = targets.version
            and promises.period = targets.period
            and promises.scope = targets.scope
            and promises.metric = targets.metric

),

comparisons as (

    select
        version,
        period,
        scope,
        metric,
        who,
        sheet_row,
        tolerance_pct,
        promised,
        step,
        arithmetic,
        lacking,
        multiplied_out,
        'than the MQLs multiply out to' as told
    from multiplied

    union all

    select
        *,
        'than the pipeline gives' as told
    from won

    union all

    select
        *,
        'than the target' as told
    from against_targets

),

judged as (

    select
        *,
        coalesce(
            try(
                abs(promised - multiplied_out) * 100
                <= greatest(multiplied_out * tolerance_pct, 50)
            ),
            false
        ) as is_one_plan
    from comparisons

),

-- Upstream without downstream, or the reverse.
halves as (

    select
        version,
        period,
        scope,
        count(*) filter (where metric = 'mqls') as of_mqls,
        count(*) filter (where metric = 'pipeline') as of_pipeline,
        min(sheet_row) as sheet_row
    from promises
    where metric in ('mqls', 'pipeline')
    group by version, period, scope

),

absent as (

    select
        current_versions.version,
        departments.department
    from current_versions
    cross join (values ('marketing'), ('sales')) as departments (department)
    left join promises
        on
            current_versions.version = promises.version
            and departments.department = promises.department
    where promises.version is null

),

problems as (

    select
        case
            when lacking <> '' then 'the promise cannot be multiplied out: no ' || lacking
                || ' in this period and scope'
            when multiplied_out is null then 'the figures are too large to be multiplied'
            when promised > multiplied_out then who || ' more ' || metric || ' ' || told
            else who || ' less ' || metric || ' ' || told
        end as problem,
        version,
        sheet_row,
        period,
        scope,
        metric,
        step,
        arithmetic,
        multiplied_out as expected,
        promised as actual,
        promised - multiplied_out as difference
    from judged
    where not is_one_plan

    union all

    select
        case
            when of_mqls = 0 then 'pipeline is promised and no MQLs that would win it'
            else 'MQLs are promised and no pipeline that they would become'
        end as problem,
        version,
        sheet_row,
        period,
        scope,
        case when of_mqls = 0 then 'mqls' else 'pipeline' end as metric,
        cast(null as varchar) as step,
        cast(null as varchar) as arithmetic,
        cast(null as decimal(38, 9)) as expected,
        cast(null as decimal(38, 9)) as actual,
        cast(null as decimal(38, 9)) as difference
    from halves
    where of_mqls = 0 or of_pipeline = 0

    union all

    select
        department || ' promises nothing' as problem,
        version,
        cast(null as bigint) as sheet_row,
        cast(null as varchar) as period,
        cast(null as varchar) as scope,
        cast(null as varchar) as metric,
        cast(null as varchar) as step,
        cast(null as varchar) as arithmetic,
        cast(null as decimal(38, 9)) as expected,
        cast(null as decimal(38, 9)) as actual,
        cast(null as decimal(38, 9)) as difference
    from absent

),

final as (

    select
        cast(null as varchar) as feed,
        problem,
        version,
        'promises' as sheet,
        sheet_row,
        period,
        scope,
        metric,
        step,
        arithmetic,
        rtrim(rtrim(cast(cast(expected as decimal(38, 4)) as varchar), '0'), '.') as expected,
        rtrim(rtrim(cast(cast(actual as decimal(38, 4)) as varchar), '0'), '.') as actual,
        rtrim(rtrim(cast(cast(difference as decimal(38, 4)) as varchar), '0'), '.') as difference
    from problems
    order by version, sheet_row, metric, problem

)

select * from final;
