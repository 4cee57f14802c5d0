-- Credit by channel: the channels of a path share its amount by removal effect (markov) or alike
-- (shapley), and the touches of each channel share what it gets alike.
-- Grain: path_number, model, position.
-- A channel counts once, however many touches of it are in the path: removing it, or leaving it out
-- of a coalition, takes them all. Odd units go to the largest remainders, among equals to the
-- channel that came first; within a channel to its earlier touches.

{%- set parts = {"credit_minor": "credit_total", "share_parts": "share_total"} %}

with

shapes as (

    select * from {{ ref("int_credit__path_shape") }}
    where is_converted

),

path_touches as (

    select * from {{ ref("int_credit__path_touch") }}

),

campaigns as (

    select * from {{ ref("int_credit__campaign") }}

),

models as (

    select
        model,
        ordinal,
        family
    from {{ ref("stg_landed__credit_model") }}
    where family in ('removal', 'coalition')

),

effects as (

    select * from {{ ref("int_credit__removal_effect") }}
    where replicate = 0

),

touches as (

    select
        path_touches.*,
        campaigns.channel,
        shapes.basis,
        shapes.amount_minor,
        row_number() over (
            partition by path_touches.path_number, campaigns.channel
            order by path_touches.position
        ) - 1 as channel_rank
    from path_touches
    inner join shapes on path_touches.path_number = shapes.path_number
    inner join campaigns on path_touches.campaign_number = campaigns.campaign_number

),

of_channels as (

    select
        path_number,
        channel,
        min(basis) as basis,
        min(amount_minor) as amount_minor,
        min(position) as first_position,
        count(*) as touches
    from touches
    group by path_number, channel

),

-- Every channel of a converted path has an effect; one below a hundred-millionth counts as that
-- (`greatest` leaves out what is unknown).
weighed as (

    select
        of_channels.*,
        models.ordinal,
        case
            when models.family = 'removal'
                then greatest({{ exact_quotient("effects.effect_parts", 100) }}, 1)
            else 1
        end as weight
    from of_channels
    cross join models
    left join effects
        on
            of_channels.basis = effects.basis
            and of_channels.channel = effects.channel

),

summed as (

    select
        *,
        cast(sum(weight) over (
            partition by path_number, ordinal
        ) as bigint) as path_weight
    from weighed

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
            order by remainder desc, first_position asc
            rows between unbounded preceding and unbounded following
        ) as units_left,
        row_number() over (
            partition by path_number, ordinal
            order by remainder desc, first_position asc
        ) as place,
        cast(sum(weight) over (
            partition by path_number, ordinal
            order by remainder desc, first_position asc
            rows between unbounded preceding and current row
        ) as bigint) as weight_so_far
    from divided

),

totals as (

    select
        ranked.path_number,
        models.model,
        ranked.channel,
        ranked.touches,
        cast(
            ranked.floor_minor + case when ranked.place <= ranked.units_left then 1 else 0 end
            as bigint
        ) as credit_total,
        {{ share_floor("1000000000", "ranked.weight_so_far", "ranked.path_weight") }}
        - {{ share_floor(
            "1000000000", "ranked.weight_so_far - ranked.weight", "ranked.path_weight"
        ) }} as share_total
    from ranked
    inner join models on ranked.ordinal = models.ordinal

),

final as (

    select
        -- ids
        touches.path_number,
        totals.model,
        touches.position,
        touches.touch_id,
        touches.campaign_number,
        -- numbers
        {%- for part, total in parts.items() %}
        cast(
            {{ equal_share("totals." ~ total, "totals.touches", "touches.channel_rank") }}
            as bigint
        ) as {{ part }},
        {%- endfor %}
        -- times
        touches.touched_at
    from touches
    inner join totals
        on
            touches.path_number = totals.path_number
            and touches.channel = totals.channel

)

select * from final
