-- The stages of each opportunity as intervals without a gap, from its first known stage to now.
-- Grain: opportunity_id, entry_number. `amount_minor` is the amount when the stage was entered, in
-- the currency of the opportunity; fct_opportunity has today's.

with

intervals as (

    select * from {{ ref("int_opportunity__stage_interval") }}

),

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

final as (

    select
        intervals.opportunity_id,
        intervals.entry_number,
        intervals.from_stage,
        intervals.stage,
        intervals.origin,
        intervals.raw_status,
        opportunities.currency,
        cast(
            round(
                intervals.amount
                * cast({{ power_of_ten("currencies.exponent") }} as decimal(5, 0)), 0
            ) as bigint
        ) as amount_minor,
        intervals.is_time_estimated,
        intervals.entered_at,
        intervals.left_at
    from intervals
    inner join opportunities on intervals.opportunity_id = opportunities.opportunity_id
    left join currencies on opportunities.currency = currencies.currency

)

select * from final
