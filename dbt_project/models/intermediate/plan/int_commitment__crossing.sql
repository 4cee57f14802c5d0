-- The cohorts on which a campaign has spent under a plan, and when each passed the threshold from
-- which Sales owes its expected conversion rate.
-- Grain: campaign_key, cohort_start_date. Overheads and (no campaign) buckets owe no rate.
-- A day is held to the threshold of the version in force on it; spend of the cohort before there
-- was a plan counts towards it. A cohort that credits brought back below it owes nothing. Spend
-- without an exchange rate is not in it: law B9 blocks until there is one.

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

spend_versions as (

    select * from {{ ref("int_spend__version") }}
    where is_current

),

campaigns as (

    select * from {{ ref("int_campaign") }}
    where kind = 'campaign'

),

days as (

    select
        spend_versions.campaign_key,
        spend_versions.cohort_start_date,
        spend_versions.spend_date,
        {{ exact_sum("spend_versions.amount_minor") }} as amount_minor
    from spend_versions
    inner join campaigns on spend_versions.campaign_key = campaigns.campaign_key
    where exists (select 1 from versions) and spend_versions.amount_minor is not null
    group by
        spend_versions.campaign_key,
        spend_versions.cohort_start_date,
        spend_versions.spend_date

),

running as (

    select
        campaign_key,
        cohort_start_date,
        spend_date,
        cast(sum(amount_minor) over (
            partition by campaign_key, cohort_start_date
            order by spend_date
            rows between unbounded preceding and current row
        ) as bigint) as to_date_minor,
        cast(sum(amount_minor) over (
            partition by campaign_key, cohort_start_date
        ) as bigint) as spend_minor
    from days

),

judged as (

    select
        running.campaign_key,
        running.cohort_start_date,
        running.spend_date,
        running.spend_minor,
        versions.version,
        versions.commitment_threshold_minor as threshold_minor,
        versions.commitment_grace_days as grace_days,
        running.to_date_minor > versions.commitment_threshold_minor
        and running.spend_minor > versions.commitment_threshold_minor as is_above
    from running
    inner join versions
        on
            running.spend_date >= versions.in_force_from
            and running.spend_date < versions.in_force_to

),

-- The first day above it or, where there is none, the last day of spend.
ranked as (

    select
        *,
        row_number() over (
            partition by campaign_key, cohort_start_date
            order by
                case when is_above then 0 else 1 end,
                case when is_above then spend_date end,
                spend_date desc
        ) as preference
    from judged

),

final as (

    select
        campaign_key,
        cohort_start_date,
        version,
        spend_minor,
        threshold_minor,
        is_above,
        case when is_above then spend_date end as crossed_date,
        case when is_above then {{ add_days("spend_date", "grace_days") }} end as due_date
    from ranked
    where preference = 1

)

select * from final
