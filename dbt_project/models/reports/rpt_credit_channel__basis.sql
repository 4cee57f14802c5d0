-- What the data-driven models say of each channel, and on how much it rests.
-- Grain: basis, channel.
-- `markov_conversions` and `shapley_conversions` each add up to the converted paths with touches
-- (nine digits); paths and converted paths do not add up over channels: a path has several.

with

path_touches as (

    select * from {{ ref("int_credit__path_touch") }}

),

shapes as (

    select * from {{ ref("int_credit__path_shape") }}

),

campaigns as (

    select * from {{ ref("int_credit__campaign") }}

),

transitions as (

    select * from {{ ref("int_credit__transition") }}

),

effects as (

    select * from {{ ref("int_credit__removal_effect") }}

),

units as (

    select * from {{ ref("int_credit__unit") }}

),

paths as (

    select * from {{ ref("int_credit__path") }}

),

opportunities as (

    select * from {{ ref("int_opportunity") }}
    where is_new_business

),

bases as (

    select
        basis,
        {{ exact_sum("case when to_channel is null then transitions else 0 end") }} as paths,
        {{ exact_sum(
            "case when to_channel is null and is_converted then transitions else 0 end"
        ) }} as converted_paths
    from transitions
    group by basis

),

undecided_units as (

    select count(*) as units
    from units
    where not is_decided

),

open_deals as (

    select count(*) as deals
    from opportunities
    left join paths
        on
            opportunities.opportunity_id = paths.opportunity_id
            and paths.basis = 'won'
    where paths.opportunity_id is null

),

-- Whoever may still convert, and for wins the deals that are still open.
undecided as (

    select
        bases.basis,
        undecided_units.units
        + case when bases.basis = 'won' then open_deals.deals else 0 end as censored_paths
    from bases
    cross join undecided_units
    cross join open_deals

),

of_channels as (

    select
        basis,
        to_channel as channel,
        {{ exact_sum("transitions") }} as touches
    from transitions
    where to_channel is not null
    group by basis, to_channel

),

in_paths as (

    select distinct
        shapes.path_number,
        shapes.basis,
        campaigns.channel
    from path_touches
    inner join shapes on path_touches.path_number = shapes.path_number
    inner join campaigns on path_touches.campaign_number = campaigns.campaign_number
    where shapes.is_converted

),

path_sizes as (

    select
        basis,
        channel,
        count(*) over (
            partition by path_number
        ) as channels
    from in_paths

),

-- Every path's worth of one, shared by its channels alike.
shared as (

    select
        basis,
        channel,
        channels,
        count(*) as paths
    from path_sizes
    group by basis, channel, channels

),

shapley as (

    select
        basis,
        channel,
        {{ exact_sum("paths") }} as converted_paths,
        cast(sum({{ quotient("paths", "channels") }}) as decimal(38, 9)) as conversions
    from shared
    group by basis, channel

),

effect_sums as (

    select
        basis,
        replicate,
        {{ exact_sum("effect_parts") }} as effect_parts
    from effects
    group by basis, replicate

),

normalised as (

    select
        effects.basis,
        effects.replicate,
        effects.channel,
        effects.effect_parts,
        {{ quotient("effects.effect_parts", "effect_sums.effect_parts") }} as effect_share
    from effects
    inner join effect_sums
        on
            effects.basis = effect_sums.basis
            and effects.replicate = effect_sums.replicate

),

-- Of 100 replicates the fifth from below and the fifth from above: nine of ten lie between.
ranked as (

    select
        basis,
        channel,
        effect_share,
        row_number() over (
            partition by basis, channel
            order by effect_share, replicate
        ) as place,
        count(*) over (
            partition by basis, channel
        ) as replicates
    from normalised
    where replicate > 0

),

intervals as (

    select
        basis,
        channel,
        max(case when place = 5 then effect_share end) as lower_share,
        max(case when place = replicates - 4 then effect_share end) as upper_share
    from ranked
    where replicates >= 90
    group by basis, channel

),

final as (

    select
        -- ids
        of_channels.basis,
        of_channels.channel,
        -- text
        case
            when bases.converted_paths < 30 then 'fewer than 30 converted paths'
            when intervals.channel is null then 'more than 30 channels'
            when coalesce(shapley.converted_paths, 0) < 30
                then 'fewer than 30 converted paths with this channel'
        end as doubt,
        -- numbers
        cast(normalised.effect_parts * 0.0000000001 as decimal(11, 10)) as removal_effect,
        normalised.effect_share as markov_share,
        intervals.lower_share as markov_share_lower,
        intervals.upper_share as markov_share_upper,
        {{ quotient(
            "bases.converted_paths * normalised.effect_parts", "effect_sums.effect_parts"
        ) }}
            as markov_conversions,
        coalesce(shapley.conversions, 0) as shapley_conversions,
        of_channels.touches,
        coalesce(shapley.converted_paths, 0) as converted_paths,
        bases.paths as all_paths,
        bases.converted_paths as all_converted_paths,
        cast(undecided.censored_paths as bigint) as censored_paths,
        -- booleans
        coalesce(
            bases.converted_paths >= 30
            and intervals.channel is not null
            and shapley.converted_paths >= 30,
            false
        ) as is_reliable
    from of_channels
    inner join bases on of_channels.basis = bases.basis
    inner join undecided on of_channels.basis = undecided.basis
    left join shapley
        on
            of_channels.basis = shapley.basis
            and of_channels.channel = shapley.channel
    left join normalised
        on
            of_channels.basis = normalised.basis
            and of_channels.channel = normalised.channel
            and normalised.replicate = 0
    left join effect_sums
        on
            of_channels.basis = effect_sums.basis
            and effect_sums.replicate = 0
    left join intervals
        on
            of_channels.basis = intervals.basis
            and of_channels.channel = intervals.channel

)

select * from final
