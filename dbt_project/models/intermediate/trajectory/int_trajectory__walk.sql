-- The level of each stream, actual over expected, where it is now and how far it may still walk.
-- Grain: scope, stream.
-- A level wanders: week by week it is a random walk, and its counts scatter around it. Of a walk of
-- known size, old weeks count less by a constant factor, which is exponential smoothing (Muth 1960)
-- of what happened and of what was expected (the filter of Harvey and Fernandes 1989). The size is
-- not known: each of a handful foretells each week from those before it, and counts by how well it
-- did (Bayes' rule). The company's mean of all weeks is pulled towards 1 and a scope's towards the
-- company's, as if some events had gone as expected there: a scope with three events a month says
-- little about itself. The level of today is pulled towards that mean.

with

weeks as (

    select * from {{ ref("int_trajectory__week") }}

),

sizes as (

    {% for wander, belief in prior_wanders() %}
    select
        cast({{ wander }} as double) as wander,
        cast({{ belief }} as double) as belief
    {% if not loop.last %}
    union all

    {% endif %}
    {% endfor %}

),

totals as (

    select
        scope,
        stream,
        is_planned,
        cast({{ exact_sum("happened") }} as double) as happened,
        {{ steady_sum("expected") }} as expected
    from weeks
    group by scope, stream, is_planned

),

fitted as (

    select
        weeks.scope,
        weeks.stream,
        weeks.weeks_ago,
        weeks.happened,
        weeks.expected * totals.happened / totals.expected as fitted,
        weeks.chance_variance * totals.happened / totals.expected as chance_variance
    from weeks
    inner join totals
        on
            weeks.scope = totals.scope
            and weeks.stream = totals.stream
    where
        totals.expected > 0
        and weeks.chance_variance * totals.happened / totals.expected > 0.2

),

changes as (

    select
        *,
        happened - fitted as deviation,
        happened - fitted
        - lag(happened - fitted) over (partition by scope, stream order by weeks_ago desc)
            as change,
        chance_variance
        + lag(chance_variance) over (partition by scope, stream order by weeks_ago desc)
            as change_variance
    from fitted

),

-- Around the mean of all weeks, and from one week to the next (von Neumann 1941), whichever shows
-- less: a level that walks away is no scatter, nor is a backlog that the next week works off.
scatters as (

    select
        scope,
        stream,
        least(
            (
                {{ steady_sum("deviation * deviation / chance_variance") }}
                + {{ prior_weeks() }} * {{ prior_scatter() }}
            ) / (greatest(count(*) - 1, 0) + {{ prior_weeks() }}),
            (
                {{ steady_sum("change * change / change_variance") }}
                + {{ prior_weeks() }} * {{ prior_scatter() }}
            ) / (count(change) + {{ prior_weeks() }})
        ) as scatter
    from changes
    group by scope, stream

),

-- How many events of pure chance would tell as much as a week does.
events as (

    select
        fitted.scope,
        fitted.stream,
        fitted.weeks_ago,
        fitted.happened / fitted.fitted as ratio,
        fitted.fitted * fitted.fitted / (scatters.scatter * fitted.chance_variance) as events
    from fitted
    inner join scatters
        on
            fitted.scope = scatters.scope
            and fitted.stream = scatters.stream

),

weekly as (

    select
        scope,
        stream,
        {{ steady_sum("events") }} / count(*) as events
    from events
    group by scope, stream

),

-- What is left of a week's weight a week later, if the walk has that size.
keeping as (

    select
        weekly.scope,
        weekly.stream,
        sizes.wander,
        sizes.belief,
        1 - (
            sqrt(power(sizes.wander * weekly.events, 2) + 4 * sizes.wander * weekly.events)
            - sizes.wander * weekly.events
        ) / 2 as kept
    from weekly
    cross join sizes

),

known_before as (

    select
        now.scope,
        now.stream,
        now.weeks_ago,
        keeping.wander,
        {{ steady_sum(
            "power(keeping.kept, earlier.weeks_ago - now.weeks_ago - 1)"
            ~ " * earlier.events * earlier.ratio"
        ) }} as seen,
        {{ steady_sum(
            "power(keeping.kept, earlier.weeks_ago - now.weeks_ago - 1) * earlier.events"
        ) }} as due
    from events as now
    inner join events as earlier
        on
            now.scope = earlier.scope
            and now.stream = earlier.stream
            and now.weeks_ago < earlier.weeks_ago
    inner join keeping
        on
            now.scope = keeping.scope
            and now.stream = keeping.stream
    group by now.scope, now.stream, now.weeks_ago, keeping.wander

),

foretold as (

    select
        known_before.scope,
        known_before.stream,
        known_before.wander,
        -- Refunds can make a week's spend negative.
        greatest(known_before.seen, 0) + {{ prior_events() }} as seen,
        (greatest(known_before.seen, 0) + {{ prior_events() }})
        / (known_before.due + {{ prior_events() }}) as level,
        events.events,
        events.ratio
    from known_before
    inner join events
        on
            known_before.scope = events.scope
            and known_before.stream = events.stream
            and known_before.weeks_ago = events.weeks_ago

),

judged as (

    select
        scope,
        stream,
        wander,
        power(ratio - level, 2) as miss,
        level / events + level * level * (1 / seen + wander) as variance
    from foretold

),

scores as (

    select
        scope,
        stream,
        wander,
        {{ steady_sum("ln(variance) + miss / variance") }} as score
    from judged
    group by scope, stream, wander

),

likelihoods as (

    select
        keeping.scope,
        keeping.stream,
        keeping.wander,
        keeping.kept,
        keeping.belief * exp(
            (
                min(coalesce(scores.score, 0)) over (partition by keeping.scope, keeping.stream)
                - coalesce(scores.score, 0)
            ) / 2
        ) as likelihood
    from keeping
    left join scores
        on
            keeping.scope = scores.scope
            and keeping.stream = scores.stream
            and keeping.wander = scores.wander

),

believed as (

    select
        scope,
        stream,
        wander,
        kept,
        likelihood
        / {{ steady_running("likelihood", "(partition by scope, stream)") }} as belief
    from likelihoods

),

discounted as (

    select
        weeks.scope,
        weeks.stream,
        believed.wander,
        believed.belief,
        {{ steady_sum("power(believed.kept, weeks.weeks_ago) * weeks.happened") }}
            as seen,
        {{ steady_sum("power(believed.kept, weeks.weeks_ago) * weeks.expected") }}
            as due
    from weeks
    inner join believed
        on
            weeks.scope = believed.scope
            and weeks.stream = believed.stream
    group by weeks.scope, weeks.stream, believed.wander, believed.belief

),

mixed as (

    select
        scope,
        stream,
        exp({{ steady_sum("belief * ln(wander)") }}) as wander,
        {{ steady_sum("belief * seen") }} as seen,
        {{ steady_sum("belief * due") }} as due
    from discounted
    group by scope, stream

),

own as (

    select
        totals.scope,
        totals.stream,
        totals.is_planned,
        greatest(totals.happened, 0) as happened,
        totals.expected,
        -- Refunds can outweigh what was spent of late; what is to come is no refund.
        greatest(coalesce(mixed.seen, 0), 0) as seen,
        coalesce(mixed.due, 0) as due,
        coalesce(mixed.wander, {{ prior_wander() }}) as wander,
        coalesce(scatters.scatter, 1) as scatter,
        -- Of spend, an event is what it scatters by.
        case
            when totals.stream = 'budget' then coalesce(scatters.scatter, 1)
            else least(coalesce(scatters.scatter, 1), 1)
        end as event
    from totals
    left join mixed
        on
            totals.scope = mixed.scope
            and totals.stream = mixed.stream
    left join scatters
        on
            totals.scope = scatters.scope
            and totals.stream = scatters.stream

),

company as (

    select
        stream,
        (happened + {{ prior_events() }} * event) / (expected + {{ prior_events() }} * event)
            as level
    from own
    where scope = 'company'

),

-- Where it has been all in all; what has no plan is held against itself alone.
with_mean as (

    select
        own.*,
        case
            when not own.is_planned then own.happened / nullif(own.expected, 0)
            when own.scope = 'company' then company.level
            else
                company.level * (own.happened + {{ prior_scope_events() }} * own.event)
                / (company.level * own.expected + {{ prior_scope_events() }} * own.event)
        end as mean_level
    from own
    left join company on own.stream = company.stream

),

final as (

    select
        scope,
        stream,
        scatter,
        wander,
        mean_level * (seen + {{ prior_events() }} * event)
        / nullif(mean_level * due + {{ prior_events() }} * event, 0) as level,
        scatter / (seen + {{ prior_events() }} * event) as level_variance
    from with_mean

)

select * from final
