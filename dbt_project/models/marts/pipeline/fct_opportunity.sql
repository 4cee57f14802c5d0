-- The opportunities in the books: what each is worth today and where it stands.
-- Grain: opportunity_id.
-- `reporting_amount_minor` adds up over anything, `amount_minor` within one currency only. Both are
-- null where the amount is not recorded. `stage` is null while no raw stage has been mapped.

with

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

amounts as (

    select * from {{ ref("int_opportunity__amount") }}

),

intervals as (

    select * from {{ ref("int_opportunity__stage_interval") }}

),

stages as (

    select * from {{ ref("stages") }}

),

standing as (

    select
        intervals.opportunity_id,
        intervals.stage,
        intervals.raw_status,
        intervals.entered_at,
        intervals.is_time_estimated,
        stages.is_terminal
    from intervals
    inner join stages on intervals.stage = stages.stage
    where intervals.left_at is null

),

final as (

    select
        -- ids
        opportunities.feed,
        opportunities.opportunity_id,
        opportunities.contact_id,
        -- text
        opportunities.account,
        opportunities.owner,
        opportunities.product,
        opportunities.source,
        opportunities.campaign_key,
        coalesce(standing.raw_status, opportunities.raw_stage) as raw_stage,
        standing.stage,
        opportunities.reason,
        opportunities.currency,
        -- numbers
        amounts.amount_minor,
        amounts.reporting_amount_minor,
        -- booleans
        coalesce(standing.is_terminal, false) as is_closed,
        coalesce(standing.stage = 'won', false) as is_won,
        coalesce(standing.is_time_estimated, false) as is_stage_time_estimated,
        -- times
        opportunities.created_at,
        standing.entered_at as stage_entered_at,
        case when standing.stage = 'won' then standing.entered_at end as won_at,
        opportunities.close_date,
        amounts.rate_date
    from opportunities
    inner join amounts on opportunities.opportunity_id = amounts.opportunity_id
    left join standing on opportunities.opportunity_id = standing.opportunity_id

)

select * from final
