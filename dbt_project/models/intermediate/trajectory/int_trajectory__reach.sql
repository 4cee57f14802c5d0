-- From the entry into a stage to the entry into any later one: what share gets there within so many
-- days.
-- Grain: from_position, to_position, days. A stage reaches itself at once.
-- The steps' curves one after the other (a convolution), so that a long way can be told from young
-- history: no lead need have gone all of it.

with

steps as (

    select * from {{ ref("int_trajectory__step") }}
    where not is_whole_deal

),

curves as (

    select * from {{ ref("int_trajectory__curve") }}
    where moving_share > 1e-7

),

horizons as (

    select coalesce(max(days_left), 0) as days_left
    from {{ ref("int_trajectory__horizon") }}

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

lags as (

    select
        steps.from_position,
        curves.age_days,
        curves.moving_share
    from curves
    inner join steps on curves.step = steps.step
    cross join horizons
    where curves.age_days <= horizons.days_left

),

places as (

    select from_position as position
    from steps

    union

    select to_position as position
    from steps

),

ways_0 as (

    select
        position as from_position,
        position as to_position,
        cast(0 as bigint) as days,
        cast(1 as double) as share
    from places

),
{% for number in range(1, funnel_steps() + 1) %}
ways_{{ number }} as (

    select
        ways.from_position,
        ways.to_position + 1 as to_position,
        ways.days + lags.age_days as days,
        {{ steady_sum("ways.share * lags.moving_share") }} as share
    from ways_{{ number - 1 }} as ways
    inner join lags on ways.to_position = lags.from_position
    cross join horizons
    where ways.days + lags.age_days <= horizons.days_left
    group by ways.from_position, ways.to_position, ways.days + lags.age_days

),
{% endfor %}
ways as (

    {% for number in range(0, funnel_steps() + 1) %}
    select * from ways_{{ number }}
    {% if not loop.last %}
    union all

    {% endif %}
    {% endfor %}

),

ends as (

    select row_number() over (order by day) - 1 as days
    from calendar_days

),

ways_known as (

    select distinct
        from_position,
        to_position
    from ways

),

spine as (

    select
        ways_known.from_position,
        ways_known.to_position,
        ends.days
    from ways_known
    cross join horizons
    inner join ends on horizons.days_left >= ends.days

),

final as (

    select
        spine.from_position,
        spine.to_position,
        spine.days,
        coalesce(
            {{ steady_running(
                "ways.share",
                "(partition by spine.from_position, spine.to_position order by spine.days"
                ~ " rows between unbounded preceding and current row)",
            ) }}, 0
        ) as reached_share
    from spine
    left join ways
        on
            spine.from_position = ways.from_position
            and spine.to_position = ways.to_position
            and spine.days = ways.days

)

select * from final
