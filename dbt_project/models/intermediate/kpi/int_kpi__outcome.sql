-- What a rate is measured on: who entered the stage it starts from, and when each went on or left.
-- Grain: metric, unit_id, entry_number.
-- Leads for the rates up to the opportunity; for the win rate the opportunities themselves. Whether
-- an entry is decided depends on the window, which whoever reads this brings.

with

kpis as (

    select * from {{ ref("kpis") }}
    where kind = 'rate'

),

lead_entries as (

    select * from {{ ref("int_kpi__lead_entry") }}

),

opportunities as (

    select * from {{ ref("int_kpi__opportunity") }}

),

final as (

    select
        kpis.metric,
        lead_entries.lead_id as unit_id,
        lead_entries.entry_number,
        lead_entries.version,
        lead_entries.campaign_key,
        lead_entries.cohort_start_date,
        lead_entries.entered_date,
        lead_entries.reached_next_date,
        lead_entries.ended_date
    from lead_entries
    inner join kpis on lead_entries.stage = kpis.from_stage

    union all

    select
        kpis.metric,
        opportunities.opportunity_id as unit_id,
        1 as entry_number,
        opportunities.opened_version as version,
        opportunities.campaign_key,
        opportunities.cohort_start_date,
        opportunities.opened_date as entered_date,
        opportunities.won_date as reached_next_date,
        opportunities.ended_date
    from opportunities
    cross join kpis
    where kpis.from_stage = 'opportunity'

)

select * from final
