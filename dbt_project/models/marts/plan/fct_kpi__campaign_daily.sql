-- What the metrics are made of (models/metrics): what was counted for each KPI, by campaign and
-- day.
-- Grain: metric, campaign_key, day_date. Empty without a plan: it says what counts.
-- A KPI that is a sum is `numerator`; a rate, a price or days is `numerator` / `denominator`; both
-- add up over campaigns and days, never over metrics. The day of a rate is that on which the lead
-- entered its first stage. A rate is judged in the window of the company's target or, where the
-- company has none, in the longest one: over all campaigns this is what the reports of the plan
-- show for the company.

with

daily as (

    select * from {{ ref("int_kpi__daily") }}

),

targets as (

    select * from {{ ref("int_plan__target") }}
    where
        scope = 'company'
        and kind = 'rate'

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}
    where scope = 'company'

),

company_windows as (

    select distinct
        targets.version,
        targets.metric,
        settings.window_days
    from targets
    left join settings
        on
            targets.version = settings.version
            and targets.metric = settings.metric

),

windows as (

    select distinct
        version,
        metric,
        window_days
    from daily

),

ranked_windows as (

    select
        windows.version,
        windows.metric,
        windows.window_days,
        row_number() over (
            partition by windows.version, windows.metric
            order by
                case when company_windows.metric is not null then 0 else 1 end,
                coalesce(windows.window_days, 36500) desc
        ) as choice
    from windows
    left join company_windows
        on
            windows.version = company_windows.version
            and windows.metric = company_windows.metric
            and windows.window_days is not distinct from company_windows.window_days

),

final as (

    select
        -- ids
        daily.metric,
        daily.campaign_key,
        -- numbers
        daily.version as plan_version,
        {{ exact_sum("daily.numerator") }} as numerator,
        {{ exact_sum("daily.denominator") }} as denominator,
        {{ exact_sum("daily.waiting") }} as waiting,
        {{ exact_sum("daily.without_amount") }} as without_amount,
        -- times
        daily.day as day_date
    from daily
    inner join ranked_windows
        on
            daily.version = ranked_windows.version
            and daily.metric = ranked_windows.metric
            and daily.window_days is not distinct from ranked_windows.window_days
            and ranked_windows.choice = 1
    group by daily.metric, daily.campaign_key, daily.version, daily.day

)

select * from final
