-- What a deal is worth and how long it takes, of late: the mean and the spread.
-- Grain: scope, metric (`pipeline`, `bookings`, `cycle_days`); deals opened or won in the last half
-- year.
-- The company's mean is pulled towards the plan's ACV (pipeline and bookings), a scope's towards
-- the company's, as if a few deals had been like that. The plan's ACV is that of the version in
-- force at as_of, of the shortest period that holds as_of, else of the latest that has begun, else
-- of the first to come.

with

opportunities as (

    select * from {{ ref("int_kpi__opportunity") }}

),

members as (

    select * from {{ ref("int_trajectory__member") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}
    where is_in_force_today

),

periods as (

    select * from {{ ref("stg_landed__plan_period") }}

),

targets as (

    select * from {{ ref("int_plan__target") }}
    where metric = 'acv' and scope = 'company'

),

run_parameter as (

    select {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

figures as (

    select
        campaign_key,
        'pipeline' as metric,
        opened_date as day,
        pipeline_minor as value
    from opportunities

    union all

    select
        campaign_key,
        'bookings' as metric,
        won_date as day,
        bookings_minor as value
    from opportunities

    union all

    select
        campaign_key,
        'cycle_days' as metric,
        won_date as day,
        cycle_days as value
    from opportunities

),

recent as (

    select figures.*
    from figures
    cross join run_parameter
    where
        figures.value is not null
        and figures.day <= run_parameter.as_of_date
        and figures.day > {{ add_days("run_parameter.as_of_date", "-182") }}

),

ranked as (

    select
        targets.plan_value,
        row_number() over (
            order by {{ today_first("periods", "run_parameter.as_of_date") }}
        ) as preference
    from targets
    inner join versions on targets.version = versions.version
    inner join periods
        on
            targets.version = periods.version
            and targets.period = periods.period
    cross join run_parameter

),

-- One row, even of a plan that says nothing.
acv as (

    select max(plan_value) as value
    from ranked
    where preference = 1

),

company as (

    select
        metric,
        count(*) as deals,
        cast({{ exact_sum("value") }} as double) as total,
        -- Squares of cents would not fit: money in whole units of a hundred.
        case
            when metric = 'cycle_days' then {{ steady_sum_of_squares("value") }}
            else {{ steady_sum_of_squares("value / 100.0") }} * 10000
        end as squares
    from recent
    group by metric

),

of_company as (

    select
        company.metric,
        case
            when company.metric = 'cycle_days' or acv.value is null
                then company.total / company.deals
            else
                (company.total + {{ prior_deals() }} * cast(acv.value as double))
                / (company.deals + {{ prior_deals() }})
        end as mean_value,
        -- Deals vary as much as they do, and by their own size before there are enough to tell.
        (
            greatest(
                company.squares / company.deals - power(company.total / company.deals, 2), 0
            ) / nullif(power(company.total / company.deals, 2), 0) * company.deals
            + {{ prior_deals() }} * 0.5
        ) / (company.deals + {{ prior_deals() }}) as relative_variance
    from company
    cross join acv

),

-- Before any deal the plan's ACV is all there is.
kinds as (

    select 'pipeline' as metric

    union all

    select 'bookings' as metric

),

unsold as (

    select
        kinds.metric,
        cast(acv.value as double) as mean_value,
        cast(1 as double) as relative_variance
    from acv
    cross join kinds

),

known as (

    select
        coalesce(of_company.metric, unsold.metric) as metric,
        coalesce(of_company.mean_value, unsold.mean_value) as mean_value,
        coalesce(of_company.relative_variance, unsold.relative_variance) as relative_variance
    from of_company
    full outer join unsold on of_company.metric = unsold.metric

),

by_scope as (

    select
        members.scope,
        recent.metric,
        count(*) as deals,
        cast({{ exact_sum("recent.value") }} as double) as total
    from recent
    inner join members on recent.campaign_key = members.campaign_key
    group by members.scope, recent.metric

),

scopes as (

    select distinct scope
    from members

),

final as (

    select
        scopes.scope,
        known.metric,
        coalesce(by_scope.deals, 0) as deals,
        known.relative_variance,
        case
            when scopes.scope = 'company' then known.mean_value
            else
                (coalesce(by_scope.total, 0) + {{ prior_scope_events() }} * known.mean_value)
                / (coalesce(by_scope.deals, 0) + {{ prior_scope_events() }})
        end as mean_value
    from scopes
    cross join known
    left join by_scope
        on
            scopes.scope = by_scope.scope
            and known.metric = by_scope.metric

)

select * from final
