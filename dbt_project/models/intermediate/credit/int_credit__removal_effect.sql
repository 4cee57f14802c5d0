-- What part of all conversions would be lost if a channel led nowhere: the removal effect in a
-- first-order Markov chain over all paths, and the same in 100 bootstrap replicates.
-- Grain: basis, replicate (0: the data themselves), channel.
-- With N the expected visits, N = (I - Q)^-1, and h the chance to convert from a state, conversions
-- that pass through c are N[start, c] / N[c, c] × h[c] of h[start]: one inversion for all channels.
-- It is done in place (Gauss and Jordan), one state a step. No step adds up numbers of several
-- rows, so no order of rows can change a bit of the result. Of more than 60 channels, those with
-- the fewest touches are one state and share its effect alike.
-- A replicate draws the 256 blocks of paths with Poisson(1) weights from md5, so it is the same in
-- every run; there are none below 30 conversions or above 30 channels.

with recursive

transitions as (

    select * from {{ ref("int_credit__transition") }}

),

channel_touches as (

    select
        basis,
        to_channel as channel,
        {{ exact_sum("transitions") }} as touches
    from transitions
    where to_channel is not null
    group by basis, to_channel

),

states as (

    select
        basis,
        channel,
        least(
            row_number() over (
                partition by basis
                order by touches desc, channel asc
            ),
            60
        ) as state
    from channel_touches

),

conversions as (

    select
        basis,
        {{ exact_sum(
            "case when to_channel is null and is_converted then transitions else 0 end"
        ) }} as conversions
    from transitions
    group by basis

),

sizes as (

    select
        states.basis,
        max(states.state) as states,
        max(conversions.conversions) as conversions
    from states
    inner join conversions on states.basis = conversions.basis
    group by states.basis

),

numbers as (

    select 1 as replicate

    union all

    select replicate + 1 as replicate
    from numbers
    where replicate < 100

),

blocks as (

    select distinct block
    from transitions

),

-- 32 bits of chance as hexadecimal text, which sorts as the number does.
chances as (

    select
        numbers.replicate,
        blocks.block,
        substring(
            md5(cast(numbers.replicate as varchar) || ':' || blocks.block), 1, 8
        ) as chance
    from numbers
    cross join blocks

),

draws as (

    select
        replicate,
        block,
        case
            when chance < '5e2d58d8' then 0
            when chance < 'bc5ab1b1' then 1
            when chance < 'eb715e1d' then 2
            when chance < 'fb239797' then 3
            when chance < 'ff1025f5' then 4
            when chance < 'ffd90f3b' then 5
            when chance < 'fffa8b71' then 6
            when chance < 'ffff540c' then 7
            else 8
        end as times
    from chances

),

numbered as (

    select
        transitions.basis,
        transitions.block,
        coalesce(from_states.state, 0) as from_state,
        case
            when transitions.to_channel is not null then to_states.state
            when transitions.is_converted then sizes.states + 1
        end as to_state,
        {{ exact_sum("transitions.transitions") }} as transitions
    from transitions
    inner join sizes on transitions.basis = sizes.basis
    left join states as from_states
        on
            transitions.basis = from_states.basis
            and transitions.from_channel = from_states.channel
    left join states as to_states
        on
            transitions.basis = to_states.basis
            and transitions.to_channel = to_states.channel
    group by
        transitions.basis,
        transitions.block,
        coalesce(from_states.state, 0),
        case
            when transitions.to_channel is not null then to_states.state
            when transitions.is_converted then sizes.states + 1
        end

),

counts as (

    select
        basis,
        0 as replicate,
        from_state,
        to_state,
        {{ exact_sum("transitions") }} as transitions
    from numbered
    group by basis, from_state, to_state

    union all

    select
        numbered.basis,
        draws.replicate,
        numbered.from_state,
        numbered.to_state,
        {{ exact_sum("numbered.transitions * draws.times") }} as transitions
    from numbered
    inner join sizes
        on
            numbered.basis = sizes.basis
            and sizes.states <= 30
            and sizes.conversions >= 30
    inner join draws on numbered.block = draws.block
    where draws.times > 0
    group by numbered.basis, draws.replicate, numbered.from_state, numbered.to_state

),

leaving as (

    select
        basis,
        replicate,
        from_state,
        {{ exact_sum("transitions") }} as transitions
    from counts
    group by basis, replicate, from_state

),

chains as (

    select distinct
        basis,
        replicate
    from counts

),

-- Start, every channel, and the conversion, which is a column but no row of the matrix.
places as (

    select distinct
        basis,
        state as place
    from states

    union all

    select
        basis,
        0 as place
    from sizes

    union all

    select
        basis,
        states + 1 as place
    from sizes

),

matrix as (

    select
        chains.basis,
        chains.replicate,
        from_places.place as i,
        to_places.place as j,
        sizes.states,
        case
            when to_places.place > sizes.states
                then
                    cast(coalesce(counts.transitions, 0) as double)
                    / coalesce(leaving.transitions, 1)
            else
                case when from_places.place = to_places.place then 1 else 0 end
                - cast(coalesce(counts.transitions, 0) as double)
                / coalesce(leaving.transitions, 1)
        end as a
    from chains
    inner join sizes on chains.basis = sizes.basis
    inner join places as from_places
        on
            chains.basis = from_places.basis
            and sizes.states >= from_places.place
    inner join places as to_places on chains.basis = to_places.basis
    left join counts
        on
            chains.basis = counts.basis
            and chains.replicate = counts.replicate
            and from_places.place = counts.from_state
            and to_places.place = counts.to_state
    left join leaving
        on
            chains.basis = leaving.basis
            and chains.replicate = leaving.replicate
            and from_places.place = leaving.from_state

),

-- Before step n the state n is the next pivot; after the last one the matrix is inverted.
swept as (

    select
        0 as step,
        basis,
        replicate,
        i,
        j,
        states,
        a
    from matrix

    union all

    select
        step + 1 as step,
        basis,
        replicate,
        i,
        j,
        states,
        case
            when i = step and j = step then 1 / pivot_value
            when i = step then in_pivot_row / pivot_value
            when j = step then -in_pivot_column / pivot_value
            else a - in_pivot_column * in_pivot_row / pivot_value
        end as a
    from (
        select
            step,
            basis,
            replicate,
            i,
            j,
            states,
            a,
            max(case when j = step then a end) over (
                partition by basis, replicate, i
            ) as in_pivot_column,
            max(case when i = step then a end) over (
                partition by basis, replicate, j
            ) as in_pivot_row,
            max(case when i = step and j = step then a end) over (
                partition by basis, replicate
            ) as pivot_value
        from swept
        where step <= states
    ) as pivoted

),

inverted as (

    select * from swept
    where step = states + 1

),

from_start as (

    select
        basis,
        replicate,
        j as state,
        a as visits
    from inverted
    where i = 0

),

of_state as (

    select
        basis,
        replicate,
        i as state,
        max(case when i = j then a end) as returns,
        max(case when j = states + 1 then a end) as conversion
    from inverted
    group by basis, replicate, i

),

effects as (

    select
        of_state.basis,
        of_state.replicate,
        of_state.state,
        from_start.visits / of_state.returns * of_state.conversion / starts.conversion as effect
    from of_state
    inner join of_state as starts
        on
            of_state.basis = starts.basis
            and of_state.replicate = starts.replicate
            and starts.state = 0
            and starts.conversion > 0
    inner join from_start
        on
            of_state.basis = from_start.basis
            and of_state.replicate = from_start.replicate
            and of_state.state = from_start.state

),

final as (

    select
        effects.basis,
        effects.replicate,
        states.channel,
        cast(
            round(
                effects.effect * 10000000000 / count(*) over (
                    partition by effects.basis, effects.replicate, effects.state
                ),
                0
            ) as bigint
        ) as effect_parts
    from effects
    inner join states
        on
            effects.basis = states.basis
            and effects.state = states.state

)

select * from final
