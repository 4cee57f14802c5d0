-- Credit by the models that weigh milestones: the first touch, the one that made the lead, the one
-- that opened the opportunity, the last one, and the rest.
-- Grain: path_number, model, position; a touch without weight has no row.
-- A touch that is several milestones has the weights of all. A milestone that no touch fills, or
-- the rest where none is left, is shared over the others in proportion; where nothing has weight,
-- all touches are alike.
-- At most four touches of a path (`slots`) differ from the rest. So who gets the odd units by
-- largest remainder (among equals the earlier touch) is found by comparing each touch with those:
-- no path is sorted, and nothing but the shape of a path is joined.

{%- set slots = ["first", "lead", "opportunity", "last"] %}
{%- set wholes = {"credit": "amount_minor", "share": "cast(1000000000 as bigint)"} %}

with

shapes as (

    select * from {{ ref("int_credit__path_shape") }}
    where is_converted

),

path_touches as (

    select * from {{ ref("int_credit__path_touch") }}

),

models as (

    select * from {{ ref("stg_landed__credit_model") }}
    where family = 'milestones'

),

-- Where several milestones are one touch, the first of them has it and the weights of all.
slotted as (

    select
        path_touches.*,
        models.model,
        models.rest_weight,
        shapes.amount_minor,
        shapes.touches,
        shapes.lead_position,
        shapes.opportunity_position,
        shapes.touches as last_position,
        models.first_weight
        + case when shapes.lead_position = 1 then models.lead_weight else 0 end
        + case when shapes.opportunity_position = 1 then models.opportunity_weight else 0 end
        + case when shapes.touches = 1 then models.last_weight else 0 end as first_slot,
        case
            when shapes.lead_position > 1
                then
                    models.lead_weight
                    + case
                        when shapes.opportunity_position = shapes.lead_position
                            then models.opportunity_weight
                        else 0
                    end
                    + case
                        when shapes.touches = shapes.lead_position then models.last_weight
                        else 0
                    end
            else 0
        end as lead_slot,
        case
            when
                shapes.opportunity_position > 1
                and shapes.opportunity_position <> shapes.lead_position
                then
                    models.opportunity_weight
                    + case
                        when shapes.touches = shapes.opportunity_position
                            then models.last_weight
                        else 0
                    end
            else 0
        end as opportunity_slot,
        case
            when
                shapes.touches > 1
                and shapes.touches <> shapes.lead_position
                and shapes.touches <> shapes.opportunity_position
                then models.last_weight
            else 0
        end as last_slot,
        cast(1 as bigint) as first_position
    from path_touches
    inner join shapes on path_touches.path_number = shapes.path_number
    cross join models
    -- Of models without a rest only milestones weigh, unless none of them is sure to be there.
    where
        models.rest_weight > 0
        or models.first_weight + models.last_weight = 0
        or path_touches.position = 1
        or path_touches.position = shapes.lead_position
        or path_touches.position = shapes.opportunity_position
        or path_touches.position = shapes.touches

),

-- `others` are the touches that share the rest. All weights are multiplied by their number, so that
-- the share of each is whole.
counted as (

    select
        *,
        first_slot + lead_slot + opportunity_slot + last_slot as slots_weight,
        touches
        {%- for slot in slots %}
        - case when {{ slot }}_slot > 0 then 1 else 0 end
        {%- endfor %} as others
    from slotted

),

scaled as (

    select
        *,
        case when slots_weight = 0 then 1 else rest_weight end as other_weight,
        case when others = 0 or rest_weight = 0 then 1 else others end as scale
    from counted

),

weighed as (

    select
        *,
        {%- for slot in slots %}
        {{ slot }}_slot * scale as {{ slot }}_slot_weight,
        {%- endfor %}
        slots_weight * scale + others * other_weight as path_weight,
        case
            {%- for slot in slots %}
            when position = {{ slot }}_position and {{ slot }}_slot > 0
                then {{ slot }}_slot * scale
            {%- endfor %}
            else other_weight
        end as weight,
        position - 1
        {%- for slot in slots %}
        - case when {{ slot }}_slot > 0 and {{ slot }}_position < position then 1 else 0 end
        {%- endfor %} as others_before,
        case
            {%- for slot in slots %}
            when position = {{ slot }}_position and {{ slot }}_slot > 0 then true
            {%- endfor %}
            else false
        end as is_milestone
    from scaled

),

-- The whole units of each are certain; the remainders decide who gets the units that are left.
divided as (

    select
        {%- for name, whole in wholes.items() %}
        {{ floor_mod(whole, "path_weight") }} as {{ name }}_odd,
        {{ floor_div(whole, "path_weight") }} * weight as {{ name }}_even,
        {%- endfor %}
        *
    from weighed
    where weight > 0

),

remaining as (

    select
        {%- for name in wholes %}
        {%- for slot in slots %}
        {{ share_remainder(name ~ "_odd", slot ~ "_slot_weight", "path_weight") }}
            as {{ name }}_{{ slot }}_remainder,
        {%- endfor %}
        {{ share_remainder(name ~ "_odd", "other_weight", "path_weight") }}
            as {{ name }}_other_remainder,
        {{ share_floor(name ~ "_odd", "weight", "path_weight") }} as {{ name }}_floor,
        {%- endfor %}
        *
    from divided

),

own as (

    select
        {%- for name in wholes %}
        case
            {%- for slot in slots %}
            when position = {{ slot }}_position and {{ slot }}_slot > 0
                then {{ name }}_{{ slot }}_remainder
            {%- endfor %}
            else {{ name }}_other_remainder
        end as {{ name }}_remainder,
        {%- endfor %}
        *
    from remaining

),

ranked as (

    select
        {%- for name in wholes %}
        {{ exact_quotient(
            "cast(" ~ name ~ "_first_remainder + " ~ name ~ "_lead_remainder + " ~ name
            ~ "_opportunity_remainder + " ~ name ~ "_last_remainder + others * "
            ~ name ~ "_other_remainder as bigint)", "path_weight"
        ) }} as {{ name }}_left,
        case
            when not is_milestone or {{ name }}_other_remainder = {{ name }}_remainder
                then others_before
            when {{ name }}_other_remainder > {{ name }}_remainder then others
            else 0
        end
        {%- for slot in slots %}
        + case
            when
                {{ slot }}_slot > 0
                and {{ slot }}_position <> position
                and (
                    {{ name }}_{{ slot }}_remainder > {{ name }}_remainder
                    or (
                        {{ name }}_{{ slot }}_remainder = {{ name }}_remainder
                        and {{ slot }}_position < position
                    )
                )
                then 1
            else 0
        end
        {%- endfor %} as {{ name }}_rank,
        {%- endfor %}
        *
    from own

),

final as (

    select
        -- ids
        path_number,
        model,
        position,
        touch_id,
        campaign_number,
        -- numbers
        {%- for name in wholes %}
        cast(
            {{ name }}_even + {{ name }}_floor
            + case when {{ name }}_rank < {{ name }}_left then 1 else 0 end as bigint
        ) as {{ {"credit": "credit_minor", "share": "share_parts"}[name] }},
        {%- endfor %}
        -- times
        touched_at
    from ranked

)

select * from final
