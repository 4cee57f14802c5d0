-- When each opportunity was opened, and with what amount.
-- Grain: opportunity_id.
-- Opened: created or, where that is unknown, first known in a stage; of what has never stood in a
-- known one, unknown. The amount is that of its first stage, else (its history has none) today's.
-- The pipeline journal has to post every deal on some day: where this one is unknown it takes the
-- day on which the deal was first heard of (`opened_date` of int_opportunity__state).

with

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

first_entries as (

    select * from {{ ref("int_opportunity__stage_interval") }}
    where entry_number = 1

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

opened as (

    select
        opportunities.opportunity_id,
        coalesce(first_entries.amount, opportunities.amount) as opened_amount,
        coalesce(opportunities.created_at, first_entries.entered_at) as opened_at
    from opportunities
    left join first_entries on opportunities.opportunity_id = first_entries.opportunity_id

),

final as (

    select
        opened.opportunity_id,
        opened.opened_amount,
        opened.opened_at,
        {{ local_date("opened.opened_at", "run_parameter.time_zone") }} as opened_date
    from opened
    cross join run_parameter

)

select * from final
