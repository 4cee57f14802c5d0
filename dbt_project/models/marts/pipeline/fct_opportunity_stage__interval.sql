-- The stages of each opportunity as intervals without a gap, from its first known stage to now.
-- Grain: opportunity_id, entry_number. Amounts are those when the stage was entered;
-- `reporting_amount_minor` is at the rate the deal has been carried at since it was opened.
-- fct_opportunity has today's.

with

intervals as (

    select * from {{ ref("int_opportunity__stage_interval") }}

),

entries as (

    select * from {{ ref("int_opportunity__state") }}
    where is_stage_entry

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

valued as (

    select
        intervals.*,
        entries.stated_currency as currency,
        {{ minor_units("entries.stated_amount", "currencies.exponent") }} as amount_minor,
        day_rates.carried_rate,
        currencies.exponent,
        reporting.exponent as reporting_exponent
    from intervals
    cross join run_parameter
    inner join entries
        on
            intervals.opportunity_id = entries.opportunity_id
            and intervals.entry_number = entries.stage_entry_number
    left join currencies on entries.stated_currency = currencies.currency
    left join currencies as reporting on run_parameter.reporting_currency = reporting.currency
    left join day_rates
        on
            entries.stated_currency = day_rates.currency
            and entries.opened_date = day_rates.day

),

final as (

    select
        opportunity_id,
        entry_number,
        from_stage,
        stage,
        origin,
        raw_status,
        currency,
        amount_minor,
        {{ converted_minor("amount_minor", "carried_rate", "exponent", "reporting_exponent") }}
            as reporting_amount_minor,
        is_time_estimated,
        entered_at,
        left_at
    from valued

)

select * from final
