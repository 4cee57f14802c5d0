-- The opportunities in the books: what each is worth today and where it stands.
-- Grain: opportunity_id.
-- `reporting_amount_minor` adds up over anything, `amount_minor` within one currency only. Both are
-- null where the amount is not recorded. What it was worth when it was opened stands beside what it
-- is worth today. `stage` is null while no raw stage has been mapped; until then it is open.

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
        stages.is_terminal,
        stages.kind = 'exit' as is_exit
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
        opportunities.kind,
        opportunities.source,
        opportunities.campaign_key,
        coalesce(standing.raw_status, opportunities.raw_stage) as raw_stage,
        standing.stage,
        opportunities.reason,
        opportunities.currency,
        amounts.opened_currency,
        -- numbers
        amounts.amount_minor,
        amounts.rate,
        amounts.reporting_amount_minor,
        amounts.constant_amount_minor,
        amounts.opened_amount_minor,
        amounts.opened_reporting_amount_minor,
        -- booleans
        opportunities.is_new_business,
        amounts.amount_minor is not null as has_amount,
        not coalesce(standing.is_terminal or standing.is_exit, false) as is_open,
        coalesce(standing.is_terminal, false) as is_closed,
        coalesce(standing.stage = 'won', false) as is_won,
        coalesce(standing.is_time_estimated, false) as is_stage_time_estimated,
        -- times
        opportunities.created_at,
        amounts.opened_date,
        standing.entered_at as stage_entered_at,
        case when standing.stage = 'won' then standing.entered_at end as won_at,
        opportunities.close_date,
        amounts.rate_date
    from opportunities
    inner join amounts on opportunities.opportunity_id = amounts.opportunity_id
    left join standing on opportunities.opportunity_id = standing.opportunity_id

)

select * from final
