-- What each opportunity was between two instants, from its creation to now, and what it was worth.
-- Grain: opportunity_id, version_number.
-- An open deal is carried at one rate, that of the day it was opened (the plan's or the day's): a
-- movement of the pipeline is never one of the exchange rate. What is won is worth the rate of its
-- close date, or the plan's where the policy of the day it was won asks for that. Null: unknown.

with

states as (

    select * from {{ ref("int_opportunity__state") }}

),

day_rates as (

    select * from {{ ref("int_pipeline__day_rate") }}

),

constant_rates as (

    select * from {{ ref("int_currency__constant_rate") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

rated as (

    select
        states.*,
        currencies.exponent,
        reporting.exponent as reporting_exponent,
        {{ minor_units("states.amount", "currencies.exponent") }} as amount_minor,
        opened_rates.carried_rate,
        case
            when states.outcome = 'won'
                then coalesce(policy_rates.won_rate, closed_rates.rate)
        end as won_rate,
        constant_rates.rate as constant_rate
    from states
    cross join run_parameter
    left join currencies on states.currency = currencies.currency
    left join currencies as reporting on run_parameter.reporting_currency = reporting.currency
    left join constant_rates on states.currency = constant_rates.currency
    left join day_rates as opened_rates
        on
            states.currency = opened_rates.currency
            and states.opened_date = opened_rates.day
    left join day_rates as policy_rates
        on
            states.currency = policy_rates.currency
            and states.closed_date = policy_rates.day
    left join day_rates as closed_rates
        on
            states.currency = closed_rates.currency
            and coalesce(states.close_date, states.closed_date) = closed_rates.day

),

valued as (

    select
        *,
        {{ converted_minor("amount_minor", "carried_rate", "exponent", "reporting_exponent") }}
            as carried_amount_minor,
        {{ converted_minor("amount_minor", "won_rate", "exponent", "reporting_exponent") }}
            as won_amount_minor,
        {{ converted_minor("amount_minor", "constant_rate", "exponent", "reporting_exponent") }}
            as constant_amount_minor
    from rated

),

final as (

    select
        -- ids
        opportunity_id,
        version_number,
        -- text
        stage,
        outcome,
        owner,
        currency,
        -- numbers
        stage_ordinal,
        stage_entry_number,
        amount_minor,
        carried_amount_minor,
        case when outcome = 'won' then won_amount_minor else carried_amount_minor end
            as reporting_amount_minor,
        constant_amount_minor,
        carried_rate,
        won_rate,
        -- booleans
        outcome = 'open' as is_open,
        is_stage_entry,
        is_estimated,
        -- times
        close_date,
        opened_date,
        closed_date,
        valid_from_date,
        valid_from,
        valid_to
    from valued

)

select * from final
