-- Each lead's share of its cohort's spend, by largest remainder: the odd cents go to the first lead
-- ids. Only leads whose cohort has spend to share.
-- Grain: lead_id, total_number (0 is the opening total; each later restatement adds one).
-- A share holds for instants with known_from < instant <= known_to. Shares are not additive over
-- total_number: each one replaces the one before.

with

leads as (

    select * from {{ ref("int_lead") }}

),

totals as (

    select * from {{ ref("int_cohort__total") }}
    where leads > 0

),

shared_cohorts as (

    select
        campaign_key,
        cohort_start_date
    from totals
    where total_number = 0

),

ranked as (

    select
        leads.lead_id,
        leads.campaign_key,
        leads.cohort_start_date,
        leads.created_at,
        row_number() over (
            partition by leads.campaign_key, leads.cohort_start_date
            order by leads.lead_id
        ) - 1 as lead_rank
    from leads
    inner join shared_cohorts
        on
            leads.campaign_key = shared_cohorts.campaign_key
            and leads.cohort_start_date = shared_cohorts.cohort_start_date

),

final as (

    select
        ranked.lead_id,
        ranked.campaign_key,
        ranked.cohort_start_date,
        ranked.created_at,
        totals.total_number,
        totals.known_from,
        totals.known_to,
        {{ equal_share("totals.total_minor", "totals.leads", "ranked.lead_rank") }}
            as share_minor,
        {{ equal_share("totals.previous_total_minor", "totals.leads", "ranked.lead_rank") }}
            as previous_share_minor,
        totals.is_provisional
    from ranked
    inner join totals
        on
            ranked.campaign_key = totals.campaign_key
            and ranked.cohort_start_date = totals.cohort_start_date

)

select * from final
