-- Who stands or stood at the start of a step of the funnel, and when each went on or left.
-- Grain: step, unit_id, entry_number; entries of the last two years.
-- Leads as the plan counts them (int_kpi__lead_entry); deals by the furthest open stage they have
-- reached, a skipped stage counting as reached, new business only. Who went on is no exit, whatever
-- was in between. `age_days` is counted to as_of.

with

steps as (

    select * from {{ ref("int_trajectory__step") }}

),

lead_entries as (

    select * from {{ ref("int_kpi__lead_entry") }}

),

opportunities as (

    select * from {{ ref("int_kpi__opportunity") }}

),

amounts as (

    select * from {{ ref("int_opportunity__amount") }}

),

intervals as (

    select * from {{ ref("int_opportunity__stage_interval") }}

),

stages as (

    select * from {{ ref("stages") }}
    where kind = 'funnel'

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

run_parameter as (

    select
        time_zone,
        {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

standings as (

    select
        intervals.opportunity_id,
        stages.ordinal,
        {{ calendar_date("intervals.entered_at", "run_parameter.time_zone") }} as entered_date
    from intervals
    inner join stages on intervals.stage = stages.stage
    cross join run_parameter
    left join calendar_days
        on cast(intervals.entered_at as date) = calendar_days.day

),

-- The first day at a stage or beyond it; what is won is won on the day it was won for good.
milestones as (

    select
        opportunities.opportunity_id,
        stages.stage,
        case
            when stages.stage = 'opportunity' then min(opportunities.opened_date)
            when stages.stage = 'won' then min(opportunities.won_date)
            else coalesce(min(standings.entered_date), min(opportunities.won_date))
        end as reached_date
    from opportunities
    cross join stages
    left join standings
        on
            opportunities.opportunity_id = standings.opportunity_id
            and stages.ordinal <= standings.ordinal
    where stages.stage not in ('lead', 'mql', 'sal', 'sql')
    group by opportunities.opportunity_id, stages.stage

),

entries as (

    select
        steps.step,
        lead_entries.lead_id as unit_id,
        lead_entries.entry_number,
        lead_entries.campaign_key,
        cast(null as bigint) as amount_minor,
        lead_entries.entered_date,
        lead_entries.reached_next_date as moved_date,
        lead_entries.ended_date
    from lead_entries
    inner join steps on lead_entries.stage = steps.from_stage

    union all

    select
        steps.step,
        opportunities.opportunity_id as unit_id,
        cast(1 as bigint) as entry_number,
        opportunities.campaign_key,
        amounts.reporting_amount_minor as amount_minor,
        before_stage.reached_date as entered_date,
        after_stage.reached_date as moved_date,
        opportunities.ended_date
    from opportunities
    inner join steps on steps.is_deal
    inner join milestones as before_stage
        on
            opportunities.opportunity_id = before_stage.opportunity_id
            and steps.from_stage = before_stage.stage
    inner join milestones as after_stage
        on
            opportunities.opportunity_id = after_stage.opportunity_id
            and steps.to_stage = after_stage.stage
    left join amounts on opportunities.opportunity_id = amounts.opportunity_id
    where before_stage.reached_date is not null

),

aged as (

    select
        entries.*,
        {{ days_between("entries.entered_date", "run_parameter.as_of_date") }} as age_days,
        {{ days_between("entries.entered_date", "entries.moved_date") }} as moved_after_days,
        case
            when entries.moved_date is null
                then {{ days_between("entries.entered_date", "entries.ended_date") }}
        end as ended_after_days
    from entries
    cross join run_parameter

),

final as (

    select
        step,
        unit_id,
        entry_number,
        campaign_key,
        amount_minor,
        age_days,
        -- greatest() would take an unknown number of days for none.
        case when moved_after_days < 0 then 0 else moved_after_days end as moved_after_days,
        case when ended_after_days < 0 then 0 else ended_after_days end as ended_after_days,
        moved_after_days is null and ended_after_days is null as is_waiting
    from aged
    where age_days >= 0 and age_days <= {{ history_days() }}

)

select * from final
