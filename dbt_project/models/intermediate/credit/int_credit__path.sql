-- What credit is given for: new business, when it was opened and when it was won, with its amount
-- of that day in whole minor units of the reporting currency.
-- Grain: opportunity_id, basis (pipeline, won); path_number stands for both.
-- A lost opportunity has a path of basis `won` that was not converted: it earns nothing, and the
-- data-driven models need it. An open one has none of that basis yet. Touches count from
-- `earliest_at` to `anchor_at`, both included. `block` is one of 256, by chance, yet always the
-- same.

with

opportunities as (

    select * from {{ ref("int_opportunity") }}
    where is_new_business

),

amounts as (

    select * from {{ ref("int_opportunity__amount") }}

),

openings as (

    select * from {{ ref("int_opportunity__opening") }}

),

intervals as (

    select * from {{ ref("int_opportunity__stage_interval") }}

),

leads as (

    select * from {{ ref("int_lead") }}
    where converted_opportunity_id is not null

),

setting as (

    select * from {{ ref("stg_landed__credit_setting") }}

),

endings as (

    select
        opportunity_id,
        stage = 'won' as is_won,
        entered_at
    from intervals
    where left_at is null and stage in ('won', 'lost')

),

lead_starts as (

    select
        converted_opportunity_id as opportunity_id,
        min(created_at) as lead_created_at
    from leads
    group by converted_opportunity_id

),

dated as (

    select
        opportunities.opportunity_id,
        opportunities.account_id,
        openings.opened_at,
        lead_starts.lead_created_at,
        amounts.opened_reporting_amount_minor,
        amounts.reporting_amount_minor
    from opportunities
    inner join amounts on opportunities.opportunity_id = amounts.opportunity_id
    inner join openings on opportunities.opportunity_id = openings.opportunity_id
    left join lead_starts on opportunities.opportunity_id = lead_starts.opportunity_id

),

anchored as (

    select
        opportunity_id,
        'pipeline' as basis,
        account_id,
        true as is_converted,
        opened_reporting_amount_minor as amount_minor,
        lead_created_at,
        opened_at,
        opened_at as anchor_at
    from dated

    union all

    select
        dated.opportunity_id,
        'won' as basis,
        dated.account_id,
        endings.is_won as is_converted,
        case when endings.is_won then dated.reporting_amount_minor end as amount_minor,
        dated.lead_created_at,
        dated.opened_at,
        endings.entered_at as anchor_at
    from dated
    inner join endings on dated.opportunity_id = endings.opportunity_id

),

final as (

    select
        row_number() over (
            order by anchored.opportunity_id, anchored.basis
        ) as path_number,
        anchored.*,
        substring(md5(anchored.opportunity_id), 1, 2) as block,
        {{ days_before("anchored.anchor_at", "setting.look_back_days") }} as earliest_at
    from anchored
    cross join setting

)

select * from final
