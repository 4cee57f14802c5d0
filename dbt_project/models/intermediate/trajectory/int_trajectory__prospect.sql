-- How many will still enter each stage before a period ends, by where they are now: standing in an
-- earlier stage, or still to arrive.
-- Grain: scope, period, to_position, from_position, is_arrival.
-- Expected numbers are chances times levels; `chance_variance` is that of so many independent
-- chances (binomial for those who stand there, Poisson for those to arrive). Money is what standing
-- deals are worth today (`expected_minor`, and `expected_unknown` for those without an amount).

with

steps as (

    select * from {{ ref("int_trajectory__step") }}
    where not is_whole_deal

),

entries as (

    select * from {{ ref("int_trajectory__entry") }}
    where is_waiting

),

chances as (

    select * from {{ ref("int_trajectory__chance") }}

),

reaches as (

    select * from {{ ref("int_trajectory__reach") }}

),

levels as (

    select * from {{ ref("int_trajectory__level") }}
    where not is_whole_deal

),

arrivals as (

    select * from {{ ref("int_trajectory__arrival") }}
    where position is not null

),

members as (

    select * from {{ ref("int_trajectory__member") }}

),

horizons as (

    select * from {{ ref("int_trajectory__horizon") }}

),

-- The product of the levels of all steps between two stages, by differences of logarithms.
cumulated as (

    select
        scope,
        from_position,
        {{ steady_running(
            "ln(level)",
            "(partition by scope order by from_position"
            ~ " rows between unbounded preceding and current row)",
        ) }} as log_level
    from levels

),

ways as (

    select
        until_end.scope,
        steps.from_position,
        until_end.from_position + 1 as to_position,
        exp(until_end.log_level - coalesce(until_start.log_level, 0)) as level
    from cumulated as until_end
    inner join steps on until_end.from_position >= steps.from_position
    left join cumulated as until_start
        on
            until_end.scope = until_start.scope
            and steps.from_position - 1 = until_start.from_position

),

by_campaign as (

    select
        entries.step,
        entries.campaign_key,
        entries.age_days,
        count(*) as standing,
        count(*) - count(entries.amount_minor) as without_amount,
        coalesce({{ exact_sum("entries.amount_minor") }}, 0) as amount_minor
    from entries
    inner join steps on entries.step = steps.step
    group by entries.step, entries.campaign_key, entries.age_days

),

by_scope as (

    select
        members.scope,
        by_campaign.step,
        by_campaign.age_days,
        {{ exact_sum("by_campaign.standing") }} as standing,
        {{ exact_sum("by_campaign.without_amount") }} as without_amount,
        {{ exact_sum("by_campaign.amount_minor") }} as amount_minor
    from by_campaign
    inner join members on by_campaign.campaign_key = members.campaign_key
    group by members.scope, by_campaign.step, by_campaign.age_days

),

judged as (

    select
        by_scope.scope,
        chances.period,
        chances.to_position,
        steps.from_position,
        by_scope.standing,
        by_scope.without_amount,
        cast(by_scope.amount_minor as double) as amount_minor,
        least(chances.chance * ways.level, 1) as chance
    from by_scope
    inner join steps on by_scope.step = steps.step
    inner join chances
        on
            by_scope.step = chances.step
            and by_scope.age_days = chances.age_days
    inner join ways
        on
            by_scope.scope = ways.scope
            and steps.from_position = ways.from_position
            and chances.to_position = ways.to_position

),

standing as (

    select
        scope,
        period,
        to_position,
        from_position,
        false as is_arrival,
        {{ steady_sum("standing * chance") }} as expected,
        {{ steady_sum("standing * chance * (1 - chance)") }} as chance_variance,
        {{ steady_sum("without_amount * chance") }} as expected_unknown,
        cast({{ exact_sum("cast(round(amount_minor * chance, 0) as bigint)") }} as double)
            as expected_minor
    from judged
    group by scope, period, to_position, from_position

),

arriving_days as (

    select
        arrivals.scope,
        horizons.period,
        arrivals.position,
        arrivals.expected,
        arrivals.scatter,
        {{ days_between("arrivals.day", "horizons.period_end_date") }} - 1 as days
    from arrivals
    inner join horizons on arrivals.day < horizons.period_end_date

),

arriving as (

    select
        arriving_days.scope,
        arriving_days.period,
        reaches.to_position,
        arriving_days.position as from_position,
        true as is_arrival,
        {{ steady_sum(
            "arriving_days.expected * least(reaches.reached_share * coalesce(ways.level, 1), 1)"
        ) }} as expected,
        -- Thinned by conversion, the scatter of arrivals becomes that of chance.
        {{ steady_sum(
            "arriving_days.expected * least(reaches.reached_share * coalesce(ways.level, 1), 1)"
            ~ " * (1 + (arriving_days.scatter - 1)"
            ~ " * least(reaches.reached_share * coalesce(ways.level, 1), 1))"
        ) }} as chance_variance,
        cast(0 as double) as expected_unknown,
        cast(0 as double) as expected_minor
    from arriving_days
    inner join reaches
        on
            arriving_days.position = reaches.from_position
            and arriving_days.days = reaches.days
    left join ways
        on
            arriving_days.scope = ways.scope
            and arriving_days.position = ways.from_position
            and reaches.to_position = ways.to_position
    group by
        arriving_days.scope, arriving_days.period, reaches.to_position, arriving_days.position

),

final as (

    select * from standing

    union all

    select * from arriving

)

select * from final
