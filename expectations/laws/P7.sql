/*
id: P7
title: The plan pays for itself
meaning: >
  What the planned budget costs for each planned win, the implied CAC, is within the limit that the
  plan itself sets, and the margin of a deal earns it back within the plan's months. Wins that a row
  does not state are its opportunities times their win rate.
severity: block
unit: rows
forgivable: false
waivable: true
owner: Finance as controller, with the heads of Marketing and Sales
what_to_do: >
  Open the sheet targets at the row named: less budget, more wins or larger deals are needed, or
  another limit in the sheet plan (`max_cac`, `max_payback_months`, `gross_margin_pct`), if Finance
  agrees. Of a locked version make an amendment (`tieout plan amend`).
*/

-- query: applies
-- Says nothing where the policy of a version is missing: an emptied table must not pass.
with

contract as (

    select
        (select count(*) from audit.plan_version) as versions,
        (select count(*) from audit.plan_problem) as problems,
        (select count(*) from audit.plan_target) as targets

),

current_policies as (

    select
        count(*) as versions,
        count(policies.version) as policies,
        count(policies.max_cac) + count(policies.max_payback_months) as limits
    from audit.plan_version as versions
    left join audit.plan_policy as policies on versions.version = policies.version
    cross join audit.run
    where versions.effective_to is null or versions.effective_to > run.as_of_date

),

final as (

    select
        case
            when contract.versions = 0 then 'no plan'
            else 'no limits are stated'
        end as reason
    from contract
    cross join current_policies
    where
        (contract.versions = 0 and contract.problems = 0 and contract.targets = 0)
        or (
            contract.versions > 0
            and current_policies.policies = current_policies.versions
            and current_policies.limits = 0
        )

)

select * from final;

-- query: measure
-- Every limit of every version.
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        count(policies.max_cac) + count(policies.max_payback_months) as checked
    from audit.plan_version as versions
    inner join audit.plan_policy as policies on versions.version = policies.version
    cross join audit.run
    where versions.effective_to is null or versions.effective_to > run.as_of_date

)

select * from final;

-- query: offenders
-- Decided by products of decimals, each rounded to nine digits, half up; one that does not fit
-- offends. Floating point only writes the CAC and the months.
with

limits as (

    select
        versions.version,
        policies.max_cac,
        policies.max_payback_months,
        policies.gross_margin_pct
    from audit.plan_version as versions
    inner join audit.plan_policy as policies on versions.version = policies.version
    cross join audit.run
    where
        (versions.effective_to is null or versions.effective_to > run.as_of_date)
        and (policies.max_cac is not null or policies.max_payback_months is not null)

),

figures as (

    select
        targets.version,
        targets.period,
        targets.scope,
        limits.max_cac,
        limits.max_payback_months,
        limits.gross_margin_pct,
        min(targets.sheet_row) as sheet_row,
        max(targets.value) filter (where targets.metric = 'budget') as budget,
        max(targets.value) filter (where targets.metric = 'wins') as stated_wins,
        max(targets.value) filter (where targets.metric = 'opportunities') as opportunities,
        max(targets.value) filter (where targets.metric = 'rate_opportunity_won') as win_rate,
        max(targets.value) filter (where targets.metric = 'acv') as acv
    from audit.plan_target as targets
    inner join limits on targets.version = limits.version
    group by
        targets.version,
        targets.period,
        targets.scope,
        limits.max_cac,
        limits.max_payback_months,
        limits.gross_margin_pct

),

units as (

    select
        *,
        coalesce(stated_wins, try(cast(opportunities * win_rate as decimal(38, 9)))) as wins,
        stated_wins is not null or (opportunities is not null and win_rate is not null) as has_wins,
        rtrim(rtrim(cast(cast(budget as decimal(38, 4)) as varchar), '0'), '.')
        || ' ÷ '
        || coalesce(
            rtrim(rtrim(cast(cast(stated_wins as decimal(38, 4)) as varchar), '0'), '.')
            || ' wins',
            '('
            || rtrim(rtrim(cast(cast(opportunities as decimal(38, 4)) as varchar), '0'), '.')
            || ' × '
            || rtrim(rtrim(cast(win_rate as varchar), '0'), '.')
            || ' wins)'
        ) as cac_in_figures,
        cast(budget as double) / cast(wins as double) as cac
    from figures

),

costs as (

    select
        *,
        coalesce(try(budget <= max_cac * wins), false) as is_within
    from units
    where budget is not null and has_wins and max_cac is not null

),

-- CAC ÷ (deal × margin ÷ 12) <= months, with every division multiplied out.
paybacks as (

    select
        *,
        coalesce(
            try(
                budget * 1200
                <= cast(max_payback_months * gross_margin_pct as decimal(38, 9))
                * cast(wins * acv as decimal(38, 9))
            ),
            false
        ) as is_within,
        cac * 1200 / (cast(acv as double) * cast(gross_margin_pct as double)) as months
    from units
    where
        budget is not null
        and has_wins
        and acv is not null
        and max_payback_months is not null
        and gross_margin_pct is not null

),

problems as (

    select
        case
            when wins = 0 then 'a budget without a planned win'
            else 'a customer costs more than the plan allows'
        end as problem,
        version,
        'targets' as sheet,
        sheet_row,
        period,
        scope,
        'max_cac' as setting,
        cac_in_figures as arithmetic,
        max_cac as expected,
        try(cast(cac as decimal(38, 4))) as actual
    from costs
    where not is_within

    union all

    select
        case
            when wins = 0 or acv = 0 or gross_margin_pct = 0 then 'a budget that earns nothing back'
            else 'a customer pays back later than the plan allows'
        end as problem,
        version,
        'targets' as sheet,
        sheet_row,
        period,
        scope,
        'max_payback_months' as setting,
        cac_in_figures
        || ' ÷ ('
        || rtrim(rtrim(cast(cast(acv as decimal(38, 4)) as varchar), '0'), '.')
        || ' × '
        || rtrim(rtrim(cast(gross_margin_pct as varchar), '0'), '.')
        || ' % ÷ 12 months)' as arithmetic,
        max_payback_months as expected,
        try(cast(months as decimal(38, 4))) as actual
    from paybacks
    where not is_within

    union all

    select
        'a payback is limited and no gross margin is stated' as problem,
        version,
        'plan' as sheet,
        cast(null as bigint) as sheet_row,
        cast(null as varchar) as period,
        cast(null as varchar) as scope,
        'gross_margin_pct' as setting,
        cast(null as varchar) as arithmetic,
        cast(null as decimal(38, 9)) as expected,
        cast(null as decimal(38, 4)) as actual
    from limits
    where max_payback_months is not null and gross_margin_pct is null

    union all

    select
        'a CAC is limited and no row states a budget and the wins it pays for' as problem,
        version,
        'plan' as sheet,
        cast(null as bigint) as sheet_row,
        cast(null as varchar) as period,
        cast(null as varchar) as scope,
        'max_cac' as setting,
        cast(null as varchar) as arithmetic,
        max_cac as expected,
        cast(null as decimal(38, 4)) as actual
    from limits
    where max_cac is not null and version not in (select version from costs)

    union all

    select
        'a payback is limited and no row states a budget, the wins it pays for and their acv'
            as problem,
        version,
        'plan' as sheet,
        cast(null as bigint) as sheet_row,
        cast(null as varchar) as period,
        cast(null as varchar) as scope,
        'max_payback_months' as setting,
        cast(null as varchar) as arithmetic,
        max_payback_months as expected,
        cast(null as decimal(38, 4)) as actual
    from limits
    where
        max_payback_months is not null
        and gross_margin_pct is not null
        and version not in (select version from paybacks)

),

final as (

    select
        cast(null as varchar) as feed,
        problem,
        version,
        sheet,
        sheet_row,
        period,
        scope,
        setting,
        arithmetic,
        rtrim(rtrim(cast(cast(expected as decimal(38, 4)) as varchar), '0'), '.') as expected,
        rtrim(rtrim(cast(actual as varchar), '0'), '.') as actual,
        rtrim(rtrim(cast(actual - cast(expected as decimal(38, 4)) as varchar), '0'), '.')
            as difference
    from problems
    order by version, sheet_row, setting, problem

)

select * from final;
