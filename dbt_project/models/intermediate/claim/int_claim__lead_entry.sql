-- Every entry into a stage that a department may count, of leads in the books and left out of them.
-- Grain: record_id, kpi, counting, entry_number.
-- `counting`: `defined` is the history in which a lead is qualified only if it meets the
-- definition, `claimed` the one in which everybody is whom somebody called so; `any` where the two
-- are the same.
-- An entry is the first into the stage or, skipping it, a later one of the funnel, and every
-- further one into the stage itself. `is_counted`: the books count it; which entry that is the
-- version of the plan says that is in force on its day, and the first where none does.
-- Leads in the books whose histories are the same are here only if somebody asks for them: a
-- department that counts every entry or goes by the day of creation, or a plan that does not count
-- the first entry. They are nearly all leads, and all that is asked otherwise is in fct_lead.

with

intervals as (

    select * from {{ ref("int_lead__stage_interval") }}
    where entry_number > 1

),

leads as (

    select * from {{ ref("int_lead") }}

),

lead_changes as (

    select * from {{ ref("int_lead__change") }}

),

left_out_changes as (

    select * from {{ ref("int_claim__left_out_change") }}

),

left_out_leads as (

    select * from {{ ref("int_claim__left_out_lead") }}

),

kpis as (

    select * from {{ ref("kpis") }}

),

stages as (

    select * from {{ ref("stages") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

stage_rules as (

    select * from {{ ref("stg_landed__plan_stage") }}

),

asked as (

    select 1 as one
    from {{ ref("int_claim") }}
    where counts_repeat_entry or counts_different_date

    union all

    select 1 as one
    from stage_rules
    where counts <> 'first'

),

refuted_leads as (

    select distinct lead_id
    from lead_changes
    where not is_counted

),

refuted_left_out as (

    select distinct record_id
    from left_out_changes
    where not is_counted

),

-- The histories that have to be put together here.
stated as (

    select
        leads.lead_id as record_id,
        leads.campaign_key,
        cast(null as varchar) as left_out_reason,
        cast(null as varchar) as second_reason,
        leads.created_date,
        lead_changes.stage,
        lead_changes.stage_ordinal,
        lead_changes.raw_status,
        lead_changes.is_counted,
        lead_changes.occurred_at,
        lead_changes.entered_at,
        true as is_refuted
    from refuted_leads
    inner join leads on refuted_leads.lead_id = leads.lead_id
    inner join lead_changes on refuted_leads.lead_id = lead_changes.lead_id

    union all

    select
        left_out_changes.record_id,
        left_out_changes.campaign_key,
        left_out_changes.left_out_reason,
        left_out_changes.second_reason,
        left_out_changes.created_date,
        left_out_changes.stage,
        left_out_changes.stage_ordinal,
        left_out_changes.raw_status,
        left_out_changes.is_counted,
        left_out_changes.occurred_at,
        left_out_changes.entered_at,
        refuted_left_out.record_id is not null as is_refuted
    from left_out_changes
    left join refuted_left_out on left_out_changes.record_id = refuted_left_out.record_id

),

histories as (

    select
        *,
        case when is_refuted then 'claimed' else 'any' end as counting
    from stated

    union all

    select
        *,
        'defined' as counting
    from stated
    where is_refuted and is_counted

),

-- Equal stages in a row are one; everybody begins as a lead.
ordered as (

    select
        *,
        lag(stage, 1, 'lead') over (
            partition by record_id, counting
            order by entered_at, occurred_at, stage_ordinal, raw_status nulls last
        ) as from_stage,
        row_number() over (
            partition by record_id, counting
            order by entered_at, occurred_at, stage_ordinal, raw_status nulls last
        ) as change_number
    from histories

),

steps as (

    select
        record_id,
        campaign_key,
        left_out_reason,
        second_reason,
        created_date,
        counting,
        stage,
        change_number as step,
        entered_at
    from ordered
    where stage <> from_stage

    union all

    select
        intervals.lead_id as record_id,
        leads.campaign_key,
        cast(null as varchar) as left_out_reason,
        cast(null as varchar) as second_reason,
        leads.created_date,
        'any' as counting,
        intervals.stage,
        intervals.entry_number as step,
        intervals.entered_at
    from intervals
    inner join leads on intervals.lead_id = leads.lead_id
    left join refuted_leads on intervals.lead_id = refuted_leads.lead_id
    where
        refuted_leads.lead_id is null
        and exists (select 1 from asked)

),

milestones as (

    select
        kpis.metric as kpi,
        stages.stage,
        stages.ordinal
    from kpis
    inner join stages on kpis.to_stage = stages.stage
    where kpis.metric in ('mqls', 'sals', 'sqls')

),

reached as (

    select
        steps.*,
        milestones.kpi,
        milestones.stage as milestone,
        row_number() over (
            partition by steps.record_id, steps.counting, milestones.kpi
            order by steps.step
        ) as reach_number
    from steps
    inner join stages on steps.stage = stages.stage
    inner join milestones on stages.ordinal >= milestones.ordinal
    where stages.kind = 'funnel'

),

numbered as (

    select
        reached.*,
        {{ local_date("reached.entered_at", "run_parameter.time_zone") }} as entered_date,
        row_number() over (
            partition by reached.record_id, reached.counting, reached.kpi
            order by reached.step
        ) as entry_number,
        count(*) over (
            partition by reached.record_id, reached.counting, reached.kpi
        ) as entries
    from reached
    cross join run_parameter
    where reached.reach_number = 1 or reached.stage = reached.milestone

),

final as (

    select
        numbered.record_id,
        numbered.campaign_key,
        numbered.left_out_reason,
        numbered.second_reason,
        numbered.kpi,
        numbered.counting,
        coalesce(stage_rules.counts, 'first') as counts,
        numbered.entry_number,
        case coalesce(stage_rules.counts, 'first')
            when 'every' then true
            when 'latest' then numbered.entry_number = numbered.entries
            else numbered.entry_number = 1
        end as is_counted,
        numbered.created_date,
        numbered.entered_date
    from numbered
    left join versions
        on
            numbered.entered_date >= versions.in_force_from
            and numbered.entered_date < versions.in_force_to
    left join stage_rules
        on
            versions.version = stage_rules.version
            and numbered.milestone = stage_rules.stage

    union all

    select
        record_id,
        campaign_key,
        left_out_reason,
        second_reason,
        'leads' as kpi,
        'any' as counting,
        'first' as counts,
        1 as entry_number,
        true as is_counted,
        created_date,
        created_date as entered_date
    from left_out_leads

)

select * from final
