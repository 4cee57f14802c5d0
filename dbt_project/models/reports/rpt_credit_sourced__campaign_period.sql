-- New business that marketing sourced and that it influenced, two different figures: sourced counts
-- each opportunity once, for the campaign of its first touch, which came before it was opened;
-- influenced counts its whole amount for every campaign that touched it.
-- Grain: basis, period_start_date (fiscal month of the opening or the win), campaign_key.
-- Sourced figures add up over campaigns to those of '(company)'; influenced ones do not, and may be
-- more than all there is: only '(company)' has each opportunity once. An opportunity that is older
-- than its first touch, or has none, is not sourced by marketing.

with

paths as (

    select * from {{ ref("int_credit__path") }}
    where is_converted

),

path_touches as (

    select
        shapes.opportunity_id,
        shapes.basis,
        path_touches.position,
        campaigns.campaign_key
    from {{ ref("int_credit__path_touch") }} as path_touches
    inner join {{ ref("int_credit__path_shape") }} as shapes
        on path_touches.path_number = shapes.path_number
    inner join {{ ref("int_credit__campaign") }} as campaigns
        on path_touches.campaign_number = campaigns.campaign_number
    where shapes.is_converted

),

days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

first_touches as (

    select
        opportunity_id,
        campaign_key
    from path_touches
    where basis = 'pipeline' and position = 1

),

dated as (

    select
        paths.opportunity_id,
        paths.basis,
        paths.amount_minor,
        first_touches.campaign_key as source_campaign_key,
        {{ local_date("paths.anchor_at", "run_parameter.time_zone") }} as anchor_date
    from paths
    cross join run_parameter
    left join first_touches on paths.opportunity_id = first_touches.opportunity_id
    where paths.anchor_at is not null

),

deals as (

    select
        dated.*,
        coalesce(days.month_start, cast(date_trunc('month', dated.anchor_date) as date))
            as period_start_date
    from dated
    left join days on dated.anchor_date = days.day

),

touched as (

    select distinct
        opportunity_id,
        basis,
        campaign_key
    from path_touches

),

touched_deals as (

    select distinct
        opportunity_id,
        basis
    from touched

),

-- One row per deal and role; the company's row has each deal once in every role.
roles as (

    select
        basis,
        period_start_date,
        source_campaign_key as campaign_key,
        'sourced' as role,
        amount_minor
    from deals
    where source_campaign_key is not null

    union all

    select
        deals.basis,
        deals.period_start_date,
        touched.campaign_key,
        'influenced' as role,
        deals.amount_minor
    from deals
    inner join touched
        on
            deals.opportunity_id = touched.opportunity_id
            and deals.basis = touched.basis

    union all

    select
        basis,
        period_start_date,
        '(company)' as campaign_key,
        'sourced' as role,
        amount_minor
    from deals
    where source_campaign_key is not null

    union all

    select
        deals.basis,
        deals.period_start_date,
        '(company)' as campaign_key,
        'influenced' as role,
        deals.amount_minor
    from deals
    inner join touched_deals
        on
            deals.opportunity_id = touched_deals.opportunity_id
            and deals.basis = touched_deals.basis

    union all

    select
        basis,
        period_start_date,
        '(company)' as campaign_key,
        'any' as role,
        amount_minor
    from deals

),

final as (

    select
        -- ids
        basis,
        period_start_date,
        campaign_key,
        -- numbers
        count(case when role = 'sourced' then 1 end) as sourced_opportunities,
        {{ exact_sum("case when role = 'sourced' then coalesce(amount_minor, 0) else 0 end") }}
            as sourced_minor,
        count(case when role = 'influenced' then 1 end) as influenced_opportunities,
        {{ exact_sum("case when role = 'influenced' then coalesce(amount_minor, 0) else 0 end") }}
            as influenced_minor,
        case when campaign_key = '(company)' then count(case when role = 'any' then 1 end) end
            as all_opportunities,
        {{ exact_sum("case when role = 'any' then coalesce(amount_minor, 0) end") }} as all_minor,
        -- booleans
        count(case when amount_minor is null then 1 end) > 0 as has_unknown_amount
    from roles
    group by basis, period_start_date, campaign_key

)

select * from final
