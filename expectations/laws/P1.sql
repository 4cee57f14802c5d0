/*
id: P1
title: The plan multiplies out down the funnel
meaning: >
  In every row of targets, what goes in times the rate gives what comes out: budget divided by cost
  per lead is leads, leads times their rate are MQLs, and so on down to pipeline and bookings. A
  volume that is left empty is carried from the one above it. Two volumes without the rate between
  them are only wishes, so the law asks for the rate.
severity: block
unit: rows
forgivable: false
waivable: true
owner: Revenue operations with the owner of the KPI named in the row
what_to_do: >
  Open the sheet targets at the row named. Correct the volume or the rate so that they multiply out,
  or state the rate that is missing; the one that the two volumes imply stands in the row. `tieout
  plan check` shows each step. Of a locked version make an amendment (`tieout plan amend`).
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
-- Every figure of a version that is not superseded is walked past.
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
-- Decided in decimals: every product is rounded to nine digits, half up, and one that does not fit
-- offends. Floating point only writes the implied rate.
with recursive

current_versions as (

    select
        versions.version,
        policies.funnel_tolerance_pct as tolerance_pct
    from audit.plan_version as versions
    inner join audit.plan_policy as policies on versions.version = policies.version
    cross join audit.run
    where versions.effective_to is null or versions.effective_to > run.as_of_date

),

-- Each volume, the one it comes from and the factor in between.
rungs as (

    select *
    from (
        values
        (2, 'mqls', 'leads', 'rate_lead_mql'),
        (3, 'sals', 'mqls', 'rate_mql_sal'),
        (4, 'sqls', 'sals', 'rate_sal_sql'),
        (5, 'opportunities', 'sqls', 'rate_sql_opportunity'),
        (6, 'pipeline', 'opportunities', 'acv'),
        (7, 'wins', 'opportunities', 'rate_opportunity_won'),
        (8, 'bookings', 'wins', 'acv')
    ) as ladder (ordinal, metric, origin, factor)

),

figures as (

    select
        targets.version,
        targets.period,
        targets.scope,
        targets.metric,
        targets.value,
        rtrim(rtrim(cast(targets.value as varchar), '0'), '.') as figure
    from audit.plan_target as targets
    inner join current_versions on targets.version = current_versions.version

),

-- A row of the sheet, and whether a volume in it needs its rate: at the top, or once it states any.
funnels as (

    select
        targets.version,
        targets.period,
        targets.scope,
        current_versions.tolerance_pct,
        min(targets.sheet_row) as sheet_row,
        bool_or(scopes.parent_scope is null or targets.metric like 'rate!_%' escape '!')
            as needs_rates,
        max(targets.value) filter (where targets.metric = 'budget') as budget,
        max(targets.value) filter (where targets.metric = 'cost_per_lead') as cost_per_lead,
        max(targets.value) filter (where targets.metric = 'leads') as leads
    from audit.plan_target as targets
    inner join current_versions on targets.version = current_versions.version
    left join audit.plan_scope as scopes
        on targets.version = scopes.version and targets.scope = scopes.scope
    group by targets.version, targets.period, targets.scope, current_versions.tolerance_pct

),

-- Leads that the budget buys; whole billionths, because a quotient of decimals would float.
bought as (

    select
        *,
        cast(
            try(
                cast(
                    (
                        cast(budget * 1000000000 as hugeint) * 1000000000
                        + cast(cost_per_lead * 1000000000 as hugeint) // 2
                    ) // cast(cost_per_lead * 1000000000 as hugeint)
                    as decimal(38, 0)
                ) * cast('0.000000001' as decimal(9, 9))
            ) as decimal(38, 9)
        ) as bought_leads,
        -- A channel that costs nothing has no price: its leads may be any number.
        coalesce(cost_per_lead is not null and greatest(budget, cost_per_lead) > 0, false)
        and budget is not null as has_price
    from funnels

),

-- Down the ladder from the leads. `lacking` are the factors that are missing since the last volume
-- that is stated; null where nothing above is.
walked as (

    select
        version,
        period,
        scope,
        1 as ordinal,
        'leads' as metric,
        leads as stated,
        bought_leads as expected,
        coalesce(leads, bought_leads) as known,
        case
            when has_price then ''
            when budget > 0 then 'cost_per_lead'
        end as lacking,
        case when leads is not null or bought_leads is not null then '' end as lacking_below,
        case when has_price then 'budget ÷ cost_per_lead' else 'budget' end as words,
        rtrim(rtrim(cast(budget as varchar), '0'), '.')
        || case
            when has_price then ' ÷ ' || rtrim(rtrim(cast(cost_per_lead as varchar), '0'), '.')
            else ''
        end as figures,
        cast(budget as double) / cast(leads as double) as implied,
        coalesce(cast(leads as double), cast(bought_leads as double)) as product,
        case when leads is not null then 'leads' else 'budget ÷ cost_per_lead' end as words_below,
        coalesce(
            rtrim(rtrim(cast(leads as varchar), '0'), '.'),
            rtrim(rtrim(cast(budget as varchar), '0'), '.')
            || ' ÷ '
            || rtrim(rtrim(cast(cost_per_lead as varchar), '0'), '.')
        ) as figures_below
    from bought

    union all

    select
        walked.version,
        walked.period,
        walked.scope,
        rungs.ordinal,
        rungs.metric,
        volumes.value as stated,
        try(cast(walked.known * factors.value as decimal(38, 9))) as expected,
        coalesce(volumes.value, try(cast(walked.known * factors.value as decimal(38, 9)))) as known,
        case
            when factors.value is not null then walked.lacking_below
            when walked.lacking_below = '' then rungs.factor
            else walked.lacking_below || ', ' || rungs.factor
        end as lacking,
        case
            when volumes.value is not null then ''
            when factors.value is not null then walked.lacking_below
            when walked.lacking_below = '' then rungs.factor
            else walked.lacking_below || ', ' || rungs.factor
        end as lacking_below,
        walked.words_below || ' × ' || rungs.factor as words,
        walked.figures_below || ' × ' || coalesce(factors.figure, '?') as figures,
        cast(volumes.value as double)
        / (walked.product * coalesce(cast(factors.value as double), 1)) as implied,
        coalesce(
            cast(volumes.value as double),
            walked.product * coalesce(cast(factors.value as double), 1)
        ) as product,
        case
            when volumes.value is not null then rungs.metric
            else walked.words_below || ' × ' || rungs.factor
        end as words_below,
        coalesce(
            volumes.figure, walked.figures_below || ' × ' || coalesce(factors.figure, '?')
        ) as figures_below
    from walked
    inner join rungs on walked.metric = rungs.origin
    left join figures as volumes
        on
            walked.version = volumes.version
            and walked.period = volumes.period
            and walked.scope = volumes.scope
            and rungs.metric = volumes.metric
    left join figures as factors
        on
            walked.version = factors.version
            and walked.period = factors.period
            and walked.scope = factors.scope
            and rungs.factor = factors.metric

),

-- Rounding to whole leads or to the coin is no contradiction: half a unit is always allowed.
steps as (

    select
        walked.*,
        funnels.sheet_row,
        funnels.needs_rates,
        coalesce(
            try(
                abs(walked.stated - walked.expected) * 100
                <= greatest(walked.expected * funnels.tolerance_pct, 50)
            ),
            false
        ) as multiplies_out
    from walked
    inner join funnels
        on
            walked.version = funnels.version
            and walked.period = funnels.period
            and walked.scope = funnels.scope
    where walked.stated is not null and walked.lacking is not null

),

problems as (

    select
        case
            when expected is null and metric = 'leads' then 'the figures divide by 0'
            when expected is null then 'the figures are too large to be multiplied'
            when stated > expected then 'the plan states more than its rates give'
            else 'the plan states less than its rates give'
        end as problem,
        version,
        sheet_row,
        period,
        scope,
        ordinal,
        metric,
        words || ' = ' || metric as step,
        figures as arithmetic,
        expected,
        stated as actual,
        stated - expected as difference
    from steps
    where lacking = '' and not multiplies_out

    union all

    select
        'no rate is stated' as problem,
        version,
        sheet_row,
        period,
        scope,
        ordinal,
        metric,
        words || ' = ' || metric as step,
        'missing: ' || lacking || coalesce(
            '; implied: '
            || rtrim(rtrim(cast(try(cast(implied as decimal(38, 4))) as varchar), '0'), '.'),
            ''
        ) as arithmetic,
        cast(null as decimal(38, 9)) as expected,
        stated as actual,
        cast(null as decimal(38, 9)) as difference
    from steps
    where lacking <> '' and needs_rates

    union all

    select
        'nothing multiplies out: no row states two volumes of the funnel' as problem,
        current_versions.version,
        cast(null as bigint) as sheet_row,
        cast(null as varchar) as period,
        cast(null as varchar) as scope,
        cast(null as integer) as ordinal,
        cast(null as varchar) as metric,
        cast(null as varchar) as step,
        cast(null as varchar) as arithmetic,
        cast(null as decimal(38, 9)) as expected,
        cast(null as decimal(38, 9)) as actual,
        cast(null as decimal(38, 9)) as difference
    from current_versions
    where current_versions.version not in (select version from steps)

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
        step,
        arithmetic,
        rtrim(rtrim(cast(cast(expected as decimal(38, 4)) as varchar), '0'), '.') as expected,
        rtrim(rtrim(cast(cast(actual as decimal(38, 4)) as varchar), '0'), '.') as actual,
        rtrim(rtrim(cast(cast(difference as decimal(38, 4)) as varchar), '0'), '.') as difference
    from problems
    order by version, sheet_row, ordinal

)

select * from final;
