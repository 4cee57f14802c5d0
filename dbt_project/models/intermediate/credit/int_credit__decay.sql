-- Credit by age: half as much every half-life, in whole days before the anchor.
-- Grain: path_number, model, position; a touch more than 23 half-lives older than the last one has
-- no weight and no row.
-- Only proportions count, so ages are taken from the last touch: its weight is 2^22, and each other
-- is a whole number of the same. The odd units go to the largest remainders, among equals to the
-- earlier touch.

with

shapes as (

    select * from {{ ref("int_credit__path_shape") }}
    where is_converted

),

path_touches as (

    select * from {{ ref("int_credit__path_touch") }}

),

models as (

    select
        model,
        ordinal
    from {{ ref("stg_landed__credit_model") }}
    where family = 'decay'

),

setting as (

    select * from {{ ref("stg_landed__credit_setting") }}

),

aged as (

    select
        path_touches.path_number,
        path_touches.position,
        path_touches.touch_id,
        path_touches.campaign_number,
        path_touches.touched_at,
        shapes.amount_minor,
        path_touches.age_days - shapes.least_age_days as older_days
    from path_touches
    inner join shapes on path_touches.path_number = shapes.path_number

),

-- `power` is floating point; rounded to 22 bits of its 53 it is the same number everywhere. A model
-- goes by its ordinal: sorting by names took twice the time.
weighed as (

    select
        aged.*,
        models.ordinal,
        cast(
            round(
                4194304 * power(
                    cast(0.5 as double), cast(aged.older_days as double) / setting.half_life_days
                ),
                0
            ) as bigint
        ) as weight
    from aged
    cross join models
    cross join setting

),

summed as (

    select
        *,
        cast(sum(weight) over (
            partition by path_number, ordinal
        ) as bigint) as path_weight
    from weighed
    where weight > 0

),

divided as (

    select
        *,
        {{ floor_div("amount_minor", "path_weight") }} * weight
        + {{ share_floor(floor_mod("amount_minor", "path_weight"), "weight", "path_weight") }}
            as floor_minor,
        {{ share_remainder(floor_mod("amount_minor", "path_weight"), "weight", "path_weight") }}
            as remainder
    from summed

),

-- One order for all, as another sort would cost as much as everything before: shares, for which no
-- method is prescribed, are differences of rounded sums, and add up to 1,000,000,000 too.
ranked as (

    select
        *,
        amount_minor - sum(floor_minor) over (
            partition by path_number, ordinal
            order by remainder desc, position asc
            rows between unbounded preceding and unbounded following
        ) as units_left,
        row_number() over (
            partition by path_number, ordinal
            order by remainder desc, position asc
        ) as place,
        cast(sum(weight) over (
            partition by path_number, ordinal
            order by remainder desc, position asc
            rows between unbounded preceding and current row
        ) as bigint) as weight_so_far
    from divided

),

final as (

    select
        -- ids
        ranked.path_number,
        models.model,
        ranked.position,
        ranked.touch_id,
        ranked.campaign_number,
        -- numbers
        cast(
            ranked.floor_minor + case when ranked.place <= ranked.units_left then 1 else 0 end
            as bigint
        ) as credit_minor,
        {{ share_floor("1000000000", "ranked.weight_so_far", "ranked.path_weight") }}
        - {{ share_floor(
            "1000000000", "ranked.weight_so_far - ranked.weight", "ranked.path_weight"
        ) }} as share_parts,
        -- times
        ranked.touched_at
    from ranked
    inner join models on ranked.ordinal = models.ordinal

)

select * from final
