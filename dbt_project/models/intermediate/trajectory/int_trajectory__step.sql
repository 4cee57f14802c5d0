-- The steps of the funnel, in order: from a stage to the next, and what the plan expects of each.
-- Grain: step. Empty without a plan.
-- Up to the opportunity the step is a lead's, from there on a deal's. `opportunity>won` is the
-- whole way of a deal, which the win rate is measured on; the stages in between share the planned
-- rate and window evenly. The plan's rate is the company's in the version in force at as_of, of
-- the shortest period that holds as_of, else of the latest that has begun.

with

governing as (

    select * from {{ ref("int_plan__version") }}
    where is_in_force_today

),

stages as (

    select * from {{ ref("stages") }}
    where kind = 'funnel'

),

targets as (

    select * from {{ ref("int_plan__target") }}
    where kind = 'rate' and scope = 'company'

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}
    where scope = 'company'

),

periods as (

    select * from {{ ref("stg_landed__plan_period") }}

),

kpis as (

    select * from {{ ref("kpis") }}
    where kind = 'rate'

),

run_parameter as (

    select {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

positions as (

    select
        stage,
        row_number() over (order by ordinal) as position
    from stages

),

opening as (

    select
        max(case when stage = 'opportunity' then position end) as position,
        max(case when stage = 'won' then position end)
        - max(case when stage = 'opportunity' then position end) as deal_steps
    from positions

),

pairs as (

    select
        before_stage.stage as from_stage,
        after_stage.stage as to_stage,
        before_stage.position as from_position,
        after_stage.position as to_position
    from positions as before_stage
    inner join positions as after_stage
        on
            before_stage.position + 1 = after_stage.position
            or (before_stage.stage = 'opportunity' and after_stage.stage = 'won')

),

ranked as (

    select
        kpis.from_stage,
        kpis.metric,
        targets.plan_value as rate,
        settings.window_days,
        row_number() over (
            partition by kpis.metric
            order by {{ today_first("periods", "run_parameter.as_of_date") }}
        ) as preference
    from governing
    cross join run_parameter
    inner join targets on governing.version = targets.version
    inner join kpis on targets.metric = kpis.metric
    inner join periods
        on
            targets.version = periods.version
            and targets.period = periods.period
            and run_parameter.as_of_date >= periods.period_start_date
    left join settings
        on
            targets.version = settings.version
            and targets.metric = settings.metric

),

planned as (

    select * from ranked
    where preference = 1

),

with_plan as (

    select
        pairs.*,
        opening.position as opening_position,
        pairs.from_position >= opening.position as is_deal,
        pairs.from_stage = 'opportunity' and pairs.to_stage = 'won' as is_whole_deal,
        case
            when
                pairs.from_position < opening.position
                or pairs.to_position > pairs.from_position + 1
                then 1
            else opening.deal_steps
        end as parts,
        planned.metric,
        planned.rate,
        planned.window_days
    from pairs
    cross join opening
    cross join governing
    left join planned
        on
            case
                when pairs.from_position >= opening.position then 'opportunity'
                else pairs.from_stage
            end = planned.from_stage

),

final as (

    select
        from_stage || '>' || to_stage as step,
        from_stage,
        to_stage,
        metric,
        from_position,
        to_position,
        opening_position,
        cast(power(cast(rate as double), 1.0 / parts) as double) as plan_rate,
        cast(ceil(coalesce(window_days, 60) / cast(parts as double)) as bigint) as plan_days,
        is_deal,
        is_whole_deal and parts = 1 as is_whole_deal
    from with_plan

)

select * from final
