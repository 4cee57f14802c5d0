-- The cohorts: a campaign's spend and leads of one period, and when that period closes.
-- Grain: campaign_key, cohort_start_date.

with

versions as (

    select * from {{ ref("int_spend__version") }}

),

leads as (

    select * from {{ ref("int_lead") }}

),

campaigns as (

    select * from {{ ref("int_campaign") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

spend_sums as (

    select
        campaign_key,
        cohort_start_date,
        max(spend_date) as last_spend_date
    from versions
    group by campaign_key, cohort_start_date

),

lead_counts as (

    select
        campaign_key,
        cohort_start_date,
        max(created_date) as last_created_date,
        count(*) as leads
    from leads
    group by campaign_key, cohort_start_date

),

members as (

    select
        coalesce(spend_sums.campaign_key, lead_counts.campaign_key) as campaign_key,
        coalesce(spend_sums.cohort_start_date, lead_counts.cohort_start_date)
            as cohort_start_date,
        spend_sums.last_spend_date,
        lead_counts.last_created_date,
        spend_sums.campaign_key is not null as has_spend,
        coalesce(lead_counts.leads, 0) as leads
    from spend_sums
    full outer join lead_counts
        on
            spend_sums.campaign_key = lead_counts.campaign_key
            and spend_sums.cohort_start_date = lead_counts.cohort_start_date

),

with_calendar as (

    select
        members.*,
        campaigns.kind = 'overhead' as is_overhead,
        run_parameter.cohort_period,
        run_parameter.time_zone,
        run_parameter.as_of,
        run_parameter.no_lead_after_days,
        {{ cohort_end(
            "members.cohort_start_date",
            "run_parameter.cohort_period",
            "campaigns.started_on",
            "campaigns.ended_on",
        ) }} as calendar_end_date
    from members
    inner join campaigns on members.campaign_key = campaigns.campaign_key
    cross join run_parameter
    left join calendar_days on members.cohort_start_date = calendar_days.day

),

-- A flight is as long as its spend and its leads are, whatever the campaign's own dates say.
with_end as (

    select
        *,
        case
            when cohort_period = 'campaign' and calendar_end_date is not null
                then greatest(
                    calendar_end_date,
                    coalesce(cast(last_spend_date + interval '1' day as date), calendar_end_date),
                    coalesce(cast(last_created_date + interval '1' day as date), calendar_end_date)
                )
            else calendar_end_date
        end as cohort_end_date
    from with_calendar

),

with_closing as (

    select
        *,
        {{ local_to_utc("cast(cohort_end_date as timestamp)", "time_zone") }} as closes_at,
        {{ local_to_utc(
            "cast(" ~ add_days("cohort_end_date", "no_lead_after_days") ~ " as timestamp)",
            "time_zone",
        ) }} as no_lead_at
    from with_end

),

final as (

    select
        campaign_key,
        cohort_start_date,
        cohort_end_date,
        closes_at,
        no_lead_at,
        has_spend,
        is_overhead,
        leads,
        closes_at is null or closes_at > as_of as is_provisional,
        coalesce(no_lead_at <= as_of, false) as is_window_over
    from with_closing

)

select * from final
