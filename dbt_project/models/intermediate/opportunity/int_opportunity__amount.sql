-- What each opportunity is worth today, in whole minor units of its own and of the reporting
-- currency.
-- Grain: opportunity_id.
-- A won or lost opportunity is valued at the rate of its close date (where that is unknown, of the
-- day it reached that stage), an open one at the rate of the day of as_of. An amount without a
-- currency, or a currency without an exponent or a rate, has none: null, not zero.

with

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

intervals as (

    select * from {{ ref("int_opportunity__stage_interval") }}
    where left_at is null

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

dated as (

    select
        opportunities.opportunity_id,
        opportunities.amount,
        opportunities.currency,
        run_parameter.reporting_currency,
        case
            when stages.is_terminal
                then coalesce(
                    opportunities.close_date,
                    {{ local_date("intervals.entered_at", "run_parameter.time_zone") }}
                )
            else {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }}
        end as rate_date
    from opportunities
    cross join run_parameter
    left join intervals on opportunities.opportunity_id = intervals.opportunity_id
    left join stages on intervals.stage = stages.stage

),

in_minor_units as (

    select
        dated.opportunity_id,
        dated.currency,
        dated.reporting_currency,
        dated.rate_date,
        currencies.exponent,
        cast(
            round(
                dated.amount * cast({{ power_of_ten("currencies.exponent") }} as decimal(5, 0)), 0
            ) as bigint
        ) as amount_minor
    from dated
    left join currencies on dated.currency = currencies.currency

),

final as (

    select
        in_minor_units.opportunity_id,
        in_minor_units.rate_date,
        in_minor_units.amount_minor,
        cast(
            round(
                cast(in_minor_units.amount_minor as decimal(18, 0))
                * cast(
                    rates.rate
                    * cast(
                        {{ power_of_ten("reporting.exponent - in_minor_units.exponent") }}
                        as decimal(8, 4)
                    )
                    as decimal(20, 12)
                ),
                0
            ) as bigint
        ) as reporting_amount_minor
    from in_minor_units
    left join currencies as reporting
        on in_minor_units.reporting_currency = reporting.currency
    left join rates
        on
            in_minor_units.currency = rates.currency
            and in_minor_units.rate_date >= rates.valid_from
            and in_minor_units.rate_date < rates.valid_to

)

select * from final
