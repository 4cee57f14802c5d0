-- What each opportunity is worth today and what it was worth when it was opened, in whole minor
-- units of its own and of the reporting currency.
-- Grain: opportunity_id.
-- Open: at the rate it has been carried at since it was opened, if the policy of the version of the
-- plan in force today says so, else at today's. Won: at the rate of its close date (where that is
-- unknown, of the day it was won), or the plan's, if the policy of the day it was won says so. Lost
-- or otherwise final: at the rate of its close date, else of that day.
-- When opened: the amount its first stage was entered with, else today's, at the carried rate.
-- An amount without a currency, or a currency without an exponent or a rate, has none: null, not
-- zero.

with

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

states as (

    select * from {{ ref("int_opportunity__state") }}

),

standing as (

    select * from {{ ref("int_opportunity__version") }}
    where valid_to is null

),

stages as (

    select * from {{ ref("stages") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

day_rates as (

    select * from {{ ref("int_pipeline__day_rate") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

run_day as (

    select
        reporting_currency,
        {{ local_date("as_of", "time_zone") }} as today
    from run_parameter

),

policy as (

    select
        run_day.today,
        reporting.exponent as reporting_exponent,
        coalesce(versions.pipeline_rate = 'plan', false) as is_carried
    from run_day
    left join versions on versions.is_in_force_today
    left join currencies as reporting on run_day.reporting_currency = reporting.currency

),

openings as (

    select
        opportunity_id,
        stated_amount,
        stated_currency
    from states
    where is_stage_entry and stage_entry_number = 1

),

dated as (

    select
        standing.*,
        policy.is_carried,
        policy.reporting_exponent,
        coalesce(openings.stated_amount, opportunities.amount) as opened_amount,
        case
            when openings.stated_amount is null then opportunities.currency
            else openings.stated_currency
        end as opened_currency,
        case
            when standing.is_open and policy.is_carried then standing.opened_date
            when coalesce(stages.is_terminal, false)
                then coalesce(standing.close_date, standing.closed_date)
            else policy.today
        end as rate_date
    from standing
    cross join policy
    inner join opportunities on standing.opportunity_id = opportunities.opportunity_id
    left join openings on standing.opportunity_id = openings.opportunity_id
    left join stages on standing.stage = stages.stage

),

rated as (

    select
        dated.*,
        currencies.exponent,
        opened_currencies.exponent as opened_exponent,
        opened_rates.carried_rate as opened_rate,
        {{ minor_units("dated.opened_amount", "opened_currencies.exponent") }}
            as opened_amount_minor,
        case
            when dated.is_open and dated.is_carried then dated.carried_rate
            when dated.outcome = 'won' then dated.won_rate
            else rates.rate
        end as rate
    from dated
    left join currencies on dated.currency = currencies.currency
    left join currencies as opened_currencies
        on dated.opened_currency = opened_currencies.currency
    left join day_rates as opened_rates
        on
            dated.opened_currency = opened_rates.currency
            and dated.opened_date = opened_rates.day
    left join day_rates as rates
        on
            dated.currency = rates.currency
            and dated.rate_date = rates.day

),

final as (

    select
        opportunity_id,
        opened_currency,
        rate,
        amount_minor,
        {{ converted_minor("amount_minor", "rate", "exponent", "reporting_exponent") }}
            as reporting_amount_minor,
        constant_amount_minor,
        opened_amount_minor,
        {{ converted_minor(
            "opened_amount_minor", "opened_rate", "opened_exponent", "reporting_exponent"
        ) }} as opened_reporting_amount_minor,
        opened_date,
        rate_date
    from rated

)

select * from final
