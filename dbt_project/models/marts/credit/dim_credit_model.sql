-- The models of credit with the weights that this publication used: the same name means other
-- weights elsewhere.
-- Grain: model.

with

models as (

    select * from {{ ref("stg_landed__credit_model") }}

),

setting as (

    select * from {{ ref("stg_landed__credit_setting") }}

),

final as (

    select
        -- ids
        models.model,
        -- text
        models.family,
        models.description,
        setting.unit,
        -- numbers
        models.ordinal,
        cast(models.first_weight * 0.01 as decimal(5, 2)) as first_pct,
        cast(models.lead_weight * 0.01 as decimal(5, 2)) as lead_pct,
        cast(models.opportunity_weight * 0.01 as decimal(5, 2)) as opportunity_pct,
        cast(models.last_weight * 0.01 as decimal(5, 2)) as last_pct,
        cast(models.rest_weight * 0.01 as decimal(5, 2)) as rest_pct,
        case when models.family = 'decay' then setting.half_life_days end as half_life_days,
        setting.look_back_days
    from models
    cross join setting

)

select * from final
