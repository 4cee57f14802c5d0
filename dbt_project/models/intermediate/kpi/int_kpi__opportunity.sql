-- The opportunities as KPIs: when each was opened and won, and what it was worth then. New business
-- only: a renewal or the split of a deal is no new pipeline.
-- Grain: opportunity_id. Empty without a plan.
-- What it was opened with (int_opportunity__opening) is valued at the plan's rate if the policy of
-- the version in force that day says so and the plan has one, else at the day's. What was won is
-- worth today's amount, at the rate that the policy of the day it was won asks for. Null: no amount
-- or no rate.

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

plan_rates as (

    select * from {{ ref("int_plan__reporting_rate") }}

),

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

amounts as (

    select * from {{ ref("int_opportunity__amount") }}

),

openings as (

    select * from {{ ref("int_opportunity__opening") }}

),

intervals as (

    select * from {{ ref("int_opportunity__stage_interval") }}

),

campaigns as (

    select * from {{ ref("int_campaign") }}

),

stages as (

    select * from {{ ref("stages") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

rates as (

    select * from {{ ref("int_fx_rate__interval") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

dated as (

    select
        opportunities.opportunity_id,
        opportunities.campaign_key,
        opportunities.currency,
        openings.opened_amount,
        run_parameter.time_zone,
        run_parameter.cohort_period,
        run_parameter.reporting_currency,
        openings.opened_date,
        case
            when standing.stage = 'won'
                then {{ local_date("standing.entered_at", "run_parameter.time_zone") }}
        end as won_date,
        case
            when stages.kind = 'exit'
                then {{ local_date("standing.entered_at", "run_parameter.time_zone") }}
        end as ended_date
    from opportunities
    cross join run_parameter
    inner join openings on opportunities.opportunity_id = openings.opportunity_id
    left join intervals as standing
        on
            opportunities.opportunity_id = standing.opportunity_id
            and standing.left_at is null
    left join stages on standing.stage = stages.stage
    where
        opportunities.is_new_business
        and exists (select 1 from versions)

),

valued as (

    select
        dated.*,
        opened_version.version as opened_version,
        won_version.version as won_version,
        amounts.amount_minor,
        amounts.reporting_amount_minor,
        currencies.exponent,
        reporting.exponent as reporting_exponent,
        cast(
            round(
                dated.opened_amount
                * cast({{ power_of_ten("currencies.exponent") }} as decimal(5, 0)), 0
            ) as bigint
        ) as opened_amount_minor,
        coalesce(opened_rates.rate, rates.rate) as opened_rate,
        won_rates.rate as won_plan_rate
    from dated
    inner join amounts on dated.opportunity_id = amounts.opportunity_id
    left join currencies on dated.currency = currencies.currency
    left join currencies as reporting on dated.reporting_currency = reporting.currency
    left join rates
        on
            dated.currency = rates.currency
            and dated.opened_date >= rates.valid_from
            and dated.opened_date < rates.valid_to
    left join versions as opened_version
        on
            dated.opened_date >= opened_version.in_force_from
            and dated.opened_date < opened_version.in_force_to
    left join plan_rates as opened_rates
        on
            opened_version.version = opened_rates.version
            and opened_version.pipeline_rate = 'plan'
            and dated.currency = opened_rates.currency
    left join versions as won_version
        on
            dated.won_date >= won_version.in_force_from
            and dated.won_date < won_version.in_force_to
    left join plan_rates as won_rates
        on
            won_version.version = won_rates.version
            and won_version.won_rate = 'plan'
            and dated.currency = won_rates.currency

),

final as (

    select
        -- ids
        valued.opportunity_id,
        valued.opened_version,
        valued.won_version,
        -- text
        valued.campaign_key,
        -- numbers
        {{ converted_minor(
            "valued.opened_amount_minor",
            "valued.opened_rate",
            "valued.exponent",
            "valued.reporting_exponent",
        ) }} as pipeline_minor,
        case
            when valued.won_date is null then null
            when valued.won_plan_rate is null then valued.reporting_amount_minor
            else {{ converted_minor(
                "valued.amount_minor",
                "valued.won_plan_rate",
                "valued.exponent",
                "valued.reporting_exponent",
            ) }}
        end as bookings_minor,
        {{ days_between("valued.opened_date", "valued.won_date") }} as cycle_days,
        -- times
        {{ cohort_start("valued.opened_date", "valued.cohort_period", "campaigns.started_on") }}
            as cohort_start_date,
        valued.opened_date,
        valued.won_date,
        valued.ended_date
    from valued
    inner join campaigns on valued.campaign_key = campaigns.campaign_key
    left join calendar_days on valued.opened_date = calendar_days.day

)

select * from final
