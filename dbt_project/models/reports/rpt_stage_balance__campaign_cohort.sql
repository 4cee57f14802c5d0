-- Where every dollar of a campaign's cohort stands today, and how many leads stand there.
-- Grain: campaign_key, cohort_start_date, stage (funding, the counter-account, is left out).
-- `amount_minor` adds up to the cohort's spend, `leads` to its leads: both may be summed.

with

entries as (

    select * from {{ ref("fct_dollar_journal__entry") }}

),

intervals as (

    select * from {{ ref("int_lead__stage_interval") }}
    where left_at is null

),

leads as (

    select * from {{ ref("int_lead") }}

),

cohorts as (

    select * from {{ ref("int_cohort") }}

),

stages as (

    select * from {{ ref("dim_stage") }}

),

moves as (

    select
        campaign_key,
        cohort_start_date,
        from_stage,
        to_stage,
        {{ exact_sum("amount_minor") }} as amount_minor
    from entries
    group by campaign_key, cohort_start_date, from_stage, to_stage

),

sides as (

    select
        campaign_key,
        cohort_start_date,
        to_stage as stage,
        amount_minor,
        cast(0 as bigint) as leads
    from moves

    union all

    select
        campaign_key,
        cohort_start_date,
        from_stage as stage,
        -amount_minor as amount_minor,
        cast(0 as bigint) as leads
    from moves
    where from_stage <> 'funding'

    union all

    select
        leads.campaign_key,
        leads.cohort_start_date,
        intervals.stage,
        cast(0 as bigint) as amount_minor,
        count(*) as leads
    from leads
    inner join intervals on leads.lead_id = intervals.lead_id
    group by leads.campaign_key, leads.cohort_start_date, intervals.stage

),

balances as (

    select
        campaign_key,
        cohort_start_date,
        stage,
        {{ exact_sum("amount_minor") }} as amount_minor,
        {{ exact_sum("leads") }} as leads
    from sides
    group by campaign_key, cohort_start_date, stage

),

final as (

    select
        balances.campaign_key,
        balances.cohort_start_date,
        cohorts.cohort_end_date,
        balances.stage,
        cast(stages.ordinal as bigint) as stage_ordinal,
        balances.amount_minor,
        balances.leads,
        cohorts.is_provisional
    from balances
    inner join cohorts
        on
            balances.campaign_key = cohorts.campaign_key
            and balances.cohort_start_date = cohorts.cohort_start_date
    inner join stages on balances.stage = stages.stage
    where
        balances.amount_minor <> 0
        or balances.leads <> 0

)

select * from final
