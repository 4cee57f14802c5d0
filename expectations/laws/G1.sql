/*
id: G1
title: No uncommitted dollars past the grace period
meaning: >
  Once a campaign has spent more on a cohort than the plan's threshold, Sales owes the conversion
  rate it expects of that cohort. Without it nobody has said what the money is to bring, and nobody
  can be held to it. Dollars without such a rate past the grace period are named here.
severity: warn
unit: minor
forgivable: false
waivable: true
owner: The head of Sales, who commits for the campaign and cohort in the row
what_to_do: >
  Commit to a rate with `tieout commit`: the campaign, the cohort, the rate, the window and your
  name. A late commitment counts from the next run on. If the campaign should not be held to one,
  both departments can waive it for a time, with a reason.
*/

-- query: applies
with

facts as (

    select
        (select count(*) from audit.plan_version)
        + (select count(*) from audit.plan_problem) as plan_rows,
        (
            select count(*)
            from main.fct_spend__campaign_daily as spend
            inner join main.dim_campaign as campaigns
                on spend.campaign_key = campaigns.campaign_key
            inner join audit.plan_version as versions
                on
                    versions.is_signed
                    and spend.spend_date >= versions.effective_from
            where campaigns.kind = 'campaign'
        ) as spend_rows

),

final as (

    select case when plan_rows = 0 then 'no plan' else 'no campaign has spent under a plan' end
        as reason
    from facts
    where plan_rows = 0 or spend_rows = 0

)

select * from final;

-- query: measure
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(coalesce(sum(overdue_minor), 0) as bigint) as actual,
        cast(coalesce(sum(overdue_minor), 0) as bigint) as difference,
        count(*) as checked
    from main.rpt_commitment__campaign_cohort

)

select * from final;

-- query: offenders
-- By what the report holds, not by its word for it: a status that was changed changes nothing.
with

final as (

    select
        cast(null as varchar) as feed,
        case
            when status is distinct from 'overdue' then 'the report does not call it overdue'
            when overdue_minor is distinct from spend_minor
                then 'the report does not count all of its spend as overdue'
            else 'no conversion rate was committed to in time'
        end as problem,
        cohorts.campaign_key,
        cohorts.cohort_start_date,
        cohorts.spend_minor,
        cohorts.overdue_minor,
        run.reporting_currency as currency,
        cohorts.threshold_minor,
        cohorts.crossed_date,
        cohorts.due_date
    from main.rpt_commitment__campaign_cohort as cohorts
    cross join audit.run
    where
        cohorts.status = 'overdue'
        or cohorts.overdue_minor is distinct from 0
        or (
            cohorts.commitments = 0
            and cohorts.spend_minor > cohorts.threshold_minor
            and cohorts.due_date < run.as_of_date
        )
    order by cohorts.spend_minor desc, cohorts.campaign_key, cohorts.cohort_start_date

)

select * from final;

-- query: severity
-- As the plan in force says.
with

in_force as (

    select versions.version
    from audit.plan_version as versions
    cross join audit.run
    where
        versions.is_signed
        and versions.effective_from <= run.as_of_date
    order by versions.effective_from desc, versions.version desc
    limit 1

),

final as (

    select policies.commitment_policy as severity
    from audit.plan_policy as policies
    inner join in_force on policies.version = in_force.version

)

select * from final;
