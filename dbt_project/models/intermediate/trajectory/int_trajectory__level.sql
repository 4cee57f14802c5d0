-- Is a step going better or worse than its curve, of late? Actual over expected, for each scope.
-- Grain: scope, step.
-- Over the last eight full weeks: how many went on, against how many should have, by the ages of
-- all who have entered (`moved`, `expected`). The company's level is pulled towards 1 and a
-- scope's towards the company's, as if some events had gone as expected there (a gamma prior for a
-- Poisson count): a scope with three events a month says little about itself. The plan's recent
-- change of course thus moves the projection before the old cohorts have left the curve.
-- `scatter`: the variance of counts over what chance alone (binomial) gives, by one, four or
-- eight weeks, whichever shows most: a rate that wanders shows in the longer ones. `outside`: how
-- many entered the step's last stage without coming from the stage before (deals that Sales opened
-- itself); where fewer entered than went on (two leads, one deal), only they count as `moved`.

with

steps as (

    select * from {{ ref("int_trajectory__step") }}

),

entries as (

    select * from {{ ref("int_trajectory__entry") }}

),

curves as (

    select * from {{ ref("int_trajectory__curve") }}

),

members as (

    select * from {{ ref("int_trajectory__member") }}

),

counted as (

    select
        step,
        campaign_key,
        age_days,
        count(*) as entries,
        count(
            case
                when
                    moved_after_days < age_days
                    and age_days - moved_after_days <= {{ level_days() }}
                    then 1
            end
        ) as moved,
        count(case when age_days between 1 and {{ level_days() }} then 1 end) as entered
    from entries
    where age_days > 0
    group by step, campaign_key, age_days

),

held_against as (

    select
        counted.step,
        counted.campaign_key,
        {{ exact_sum("counted.moved") }} as moved,
        {{ exact_sum("counted.entered") }} as entered,
        {{ steady_sum(
            "counted.entries * (until_now.moved_share - coalesce(until_then.moved_share, 0))"
        ) }} as expected
    from counted
    inner join curves as until_now
        on
            counted.step = until_now.step
            and counted.age_days - 1 = until_now.age_days
    left join curves as until_then
        on
            counted.step = until_then.step
            and counted.age_days - 1 - {{ level_days() }} = until_then.age_days
    group by counted.step, counted.campaign_key

),

company as (

    select
        steps.step,
        coalesce({{ exact_sum("held_against.moved") }}, 0) as moved,
        coalesce({{ exact_sum("held_against.entered") }}, 0) as entered,
        coalesce(sum(cast(held_against.expected * 1e9 as bigint)) / 1e9, 0) as expected
    from steps
    left join held_against on steps.step = held_against.step
    group by steps.step

),

-- How many entries a step has that are settled, as its curve rests on them.
settled as (

    select
        entries.step,
        count(
            case
                when not entries.is_waiting or entries.age_days > steps.plan_days then 1
            end
        ) as settled_entries
    from entries
    inner join steps on entries.step = steps.step
    group by entries.step

),

-- The company's counts against the curve, by the week, by four and by eight.
by_age as (

    select
        step,
        age_days,
        {{ exact_sum("entries") }} as entries
    from counted
    group by step, age_days

),

weekly_moved as (

    select
        step,
        {{ floor_div("age_days - moved_after_days - 1", 7) }} as week,
        count(*) as moved
    from entries
    where
        moved_after_days < age_days
        and age_days - moved_after_days <= {{ scatter_days() }}
    group by step, {{ floor_div("age_days - moved_after_days - 1", 7) }}

),

weekly_shares as (

    select
        by_age.step,
        by_age.age_days,
        {{ floor_div("by_age.age_days - curves.age_days - 1", 7) }} as week,
        min(by_age.entries) as entries,
        {{ steady_sum("curves.moving_share") }} as moving_share
    from by_age
    inner join curves
        on
            by_age.step = curves.step
            and by_age.age_days > curves.age_days
            and by_age.age_days - curves.age_days <= {{ scatter_days() }}
    where curves.moving_share > 1e-7
    group by
        by_age.step,
        by_age.age_days,
        {{ floor_div("by_age.age_days - curves.age_days - 1", 7) }}

),

spans as (

    select cast(1 as bigint) as weeks

    union all

    select cast(4 as bigint) as weeks

    union all

    select cast(8 as bigint) as weeks

),

moved_in_blocks as (

    select
        weekly_moved.step,
        spans.weeks,
        {{ floor_div("weekly_moved.week", "spans.weeks") }} as block,
        {{ exact_sum("weekly_moved.moved") }} as moved
    from weekly_moved
    cross join spans
    group by
        weekly_moved.step, spans.weeks, {{ floor_div("weekly_moved.week", "spans.weeks") }}

),

shares_in_blocks as (

    select
        weekly_shares.step,
        weekly_shares.age_days,
        spans.weeks,
        {{ floor_div("weekly_shares.week", "spans.weeks") }} as block,
        min(weekly_shares.entries) as entries,
        {{ steady_sum("weekly_shares.moving_share") }} as moving_share
    from weekly_shares
    cross join spans
    group by
        weekly_shares.step,
        weekly_shares.age_days,
        spans.weeks,
        {{ floor_div("weekly_shares.week", "spans.weeks") }}

),

expected_in_blocks as (

    select
        step,
        weeks,
        block,
        {{ steady_sum("entries * moving_share") }} as expected,
        {{ steady_sum("entries * moving_share * (1 - moving_share)") }} as chance_variance
    from shares_in_blocks
    group by step, weeks, block

),

scatters_by_span as (

    select
        expected_in_blocks.step,
        expected_in_blocks.weeks,
        count(*) as blocks,
        (
            {{ prior_weeks() }} + {{ steady_sum(
                "power(coalesce(moved_in_blocks.moved, 0) - expected_in_blocks.expected, 2)"
                ~ " / expected_in_blocks.chance_variance"
            ) }}
        ) / ({{ prior_weeks() }} + count(*)) as scatter
    from expected_in_blocks
    left join moved_in_blocks
        on
            expected_in_blocks.step = moved_in_blocks.step
            and expected_in_blocks.weeks = moved_in_blocks.weeks
            and expected_in_blocks.block = moved_in_blocks.block
    where expected_in_blocks.chance_variance > 0.5
    group by expected_in_blocks.step, expected_in_blocks.weeks

),

scatters as (

    select
        longer.step,
        max(
            {{ scatter_shown(
                "longer.scatter", "weekly.scatter", "least(weekly.scatter, 1)", "longer.blocks"
            ) }}
        ) as scatter
    from scatters_by_span as longer
    inner join scatters_by_span as weekly
        on
            longer.step = weekly.step
            and weekly.weeks = 1
    group by longer.step

),

-- The whole way of a deal counts its own events; every other step counts entries into its last
-- stage, which are the next step's.
of_company as (

    select
        steps.step,
        steps.from_position,
        steps.to_position,
        steps.is_whole_deal,
        steps.is_deal,
        next_step.step as next_step,
        case
            when steps.is_deal or next_step.step is null then company.moved
            else least(company.moved, next_company.entered)
        end as moved,
        case
            when steps.is_deal or next_step.step is null then 0
            else greatest(next_company.entered - company.moved, 0)
        end as outside,
        company.expected,
        coalesce(scatters.scatter, 1) as scatter,
        coalesce(settled.settled_entries, 0) as settled_entries
    from steps
    inner join company on steps.step = company.step
    left join steps as next_step
        on
            steps.to_position = next_step.from_position
            and not next_step.is_whole_deal
    left join company as next_company on next_step.step = next_company.step
    left join scatters on steps.step = scatters.step
    left join settled on steps.step = settled.step

),

levelled as (

    select
        *,
        (moved + {{ prior_events() }}) / (expected + {{ prior_events() }}) as level
    from of_company

),

by_scope as (

    select
        members.scope,
        held_against.step,
        {{ exact_sum("held_against.moved") }} as moved,
        {{ exact_sum("held_against.entered") }} as entered,
        {{ steady_sum("held_against.expected") }} as expected
    from held_against
    inner join members on held_against.campaign_key = members.campaign_key
    group by members.scope, held_against.step

),

scopes as (

    select distinct scope
    from members

),

of_scope as (

    select
        scopes.scope,
        levelled.step,
        levelled.from_position,
        levelled.to_position,
        levelled.is_whole_deal,
        levelled.level as company_level,
        levelled.scatter,
        levelled.settled_entries,
        case
            when levelled.is_deal or levelled.next_step is null then coalesce(own.moved, 0)
            else least(coalesce(own.moved, 0), coalesce(next_own.entered, 0))
        end as moved,
        case
            when levelled.is_deal or levelled.next_step is null then 0
            else greatest(coalesce(next_own.entered, 0) - coalesce(own.moved, 0), 0)
        end as outside,
        coalesce(own.expected, 0) as expected
    from scopes
    cross join levelled
    left join by_scope as own
        on
            scopes.scope = own.scope
            and levelled.step = own.step
    left join by_scope as next_own
        on
            scopes.scope = next_own.scope
            and levelled.next_step = next_own.step

),

final as (

    select
        scope,
        step,
        from_position,
        to_position,
        is_whole_deal,
        moved,
        outside,
        expected,
        scatter,
        settled_entries,
        case
            when scope = 'company' then company_level
            else
                company_level * (moved + {{ prior_scope_events() }})
                / (company_level * expected + {{ prior_scope_events() }})
        end as level,
        scatter
        / (
            moved + case
                when scope = 'company' then {{ prior_events() }} else {{ prior_scope_events() }}
            end
        ) as level_variance
    from of_scope

)

select * from final
