-- How often paths go from one channel to the next: those to an opportunity or to a win, those to a
-- loss, and those of persons (or accounts) who have let the look-back pass without an opportunity.
-- Grain: basis, block, from_channel, to_channel, is_converted. A path begins where from_channel is
-- null and ends where to_channel is. `transitions` adds up over anything.

with

path_touches as (

    select * from {{ ref("int_credit__path_touch") }}

),

units as (

    select * from {{ ref("int_credit__unit") }}
    where is_decided

),

touches as (

    select * from {{ ref("int_touch") }}

),

persons as (

    select distinct person_id
    from {{ ref("int_opportunity__person") }}

),

shapes as (

    select * from {{ ref("int_credit__path_shape") }}

),

campaigns as (

    select * from {{ ref("int_credit__campaign") }}

),

setting as (

    select * from {{ ref("stg_landed__credit_setting") }}

),

unit_touches as (

    select
        coalesce(
            case when setting.unit = 'account' then 'account:' || touches.account_id end,
            touches.person_id
        ) as unit_id,
        touches.touch_id,
        touches.occurred_at,
        campaigns.channel
    from touches
    cross join setting
    inner join campaigns on touches.campaign_key = campaigns.campaign_key
    left join persons on touches.person_id = persons.person_id
    where persons.person_id is null

),

lapsed as (

    select
        units.block,
        unit_touches.channel,
        lag(unit_touches.channel) over (
            partition by units.unit_id
            order by unit_touches.occurred_at, unit_touches.touch_id
        ) as previous_channel,
        lead(unit_touches.channel) over (
            partition by units.unit_id
            order by unit_touches.occurred_at, unit_touches.touch_id
        ) as next_channel
    from unit_touches
    inner join units
        on
            unit_touches.unit_id = units.unit_id
            and unit_touches.occurred_at >= units.earliest_at

),

in_order as (

    select
        shapes.basis,
        shapes.block,
        shapes.is_converted,
        campaigns.channel,
        path_touches.position = shapes.touches as is_last,
        lag(campaigns.channel) over (
            partition by path_touches.path_number
            order by path_touches.position
        ) as previous_channel
    from path_touches
    inner join shapes on path_touches.path_number = shapes.path_number
    inner join campaigns on path_touches.campaign_number = campaigns.campaign_number

),

bases as (

    select 'pipeline' as basis

    union all

    select 'won' as basis

),

lapsed_transitions as (

    select
        block,
        previous_channel as from_channel,
        channel as to_channel,
        count(*) as transitions
    from lapsed
    group by block, previous_channel, channel

    union all

    select
        block,
        channel as from_channel,
        cast(null as varchar) as to_channel,
        count(*) as transitions
    from lapsed
    where next_channel is null
    group by block, channel

),

transitions as (

    select
        basis,
        block,
        previous_channel as from_channel,
        channel as to_channel,
        is_converted,
        count(*) as transitions
    from in_order
    group by basis, block, previous_channel, channel, is_converted

    union all

    select
        basis,
        block,
        channel as from_channel,
        cast(null as varchar) as to_channel,
        is_converted,
        count(*) as transitions
    from in_order
    where is_last
    group by basis, block, channel, is_converted

    union all

    select
        bases.basis,
        lapsed_transitions.block,
        lapsed_transitions.from_channel,
        lapsed_transitions.to_channel,
        false as is_converted,
        lapsed_transitions.transitions
    from lapsed_transitions
    cross join bases

),

final as (

    select
        basis,
        block,
        from_channel,
        to_channel,
        is_converted,
        {{ exact_sum("transitions") }} as transitions
    from transitions
    group by basis, block, from_channel, to_channel, is_converted

)

select * from final
