-- Which touch is credited with how much of an opportunity, by every model: its amount when it was
-- opened (basis pipeline) and, where it was won, the amount it was won with (basis won).
-- Grain: opportunity_id, basis, model, touch_number (0: no touch may earn credit).
-- Credits of one basis and model add up to the opportunities' amounts, to the minor unit; over
-- bases and models they do not add up. A touch that a model gives nothing has no row.
-- `credit_minor` is null where the amount is not known; `share` is kept. Credited does not mean
-- caused.

with

paths as (

    select * from {{ ref("int_credit__path") }}
    where is_converted

),

models as (

    select model from {{ ref("stg_landed__credit_model") }}

),

credits as (

    select * from {{ ref("int_credit__milestone") }}

    union all

    select * from {{ ref("int_credit__decay") }}

    union all

    select * from {{ ref("int_credit__channel") }}

),

shapes as (

    select * from {{ ref("int_credit__path_shape") }}

),

campaigns as (

    select * from {{ ref("int_credit__campaign") }}

),

without_touch as (

    select
        paths.opportunity_id,
        paths.basis,
        paths.amount_minor,
        paths.anchor_at
    from paths
    left join shapes on paths.path_number = shapes.path_number
    where shapes.path_number is null

),

final as (

    select
        -- ids
        shapes.opportunity_id,
        shapes.basis,
        credits.model,
        credits.position as touch_number,
        credits.touch_id,
        -- text
        campaigns.campaign_key,
        campaigns.channel,
        -- numbers
        shapes.touches,
        shapes.amount_minor,
        credits.credit_minor,
        cast(credits.share_parts * 0.000000001 as decimal(10, 9)) as share,
        -- booleans
        true as is_attributed,
        -- times
        credits.touched_at,
        shapes.anchor_at
    from credits
    inner join shapes on credits.path_number = shapes.path_number
    inner join campaigns on credits.campaign_number = campaigns.campaign_number

    union all

    select
        without_touch.opportunity_id,
        without_touch.basis,
        models.model,
        cast(0 as bigint) as touch_number,
        cast(null as varchar) as touch_id,
        '(unattributed)' as campaign_key,
        '(unattributed)' as channel,
        cast(0 as bigint) as touches,
        without_touch.amount_minor,
        without_touch.amount_minor as credit_minor,
        cast(1 as decimal(10, 9)) as share,
        false as is_attributed,
        cast(null as timestamp) as touched_at,
        without_touch.anchor_at
    from without_touch
    cross join models

)

select * from final
