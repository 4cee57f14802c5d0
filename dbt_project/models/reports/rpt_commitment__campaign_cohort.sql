-- The conversion rate that Sales has committed to for each cohort a campaign has spent on, the
-- dollars without one, and what the cohort has done so far.
-- Grain: campaign_key, cohort_start_date; cohorts with spend on a day on which a plan is in force.
-- `committed_minor`, `uncommitted_minor` and `overdue_minor` add up to the spend of the cohorts
-- above the threshold, over anything. The latest commitment counts; a late one counts too.

with

crossings as (

    select * from {{ ref("int_commitment__crossing") }}

),

commitments as (

    select * from {{ ref("stg_landed__plan_commitment") }}

),

plan_rates as (

    select * from {{ ref("int_commitment__plan_rate") }}

),

outcomes as (

    select * from {{ ref("int_kpi__outcome") }}

),

cohorts as (

    select * from {{ ref("int_cohort") }}

),

run_parameter as (

    select {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

ranked_commitments as (

    select
        *,
        count(*) over (partition by campaign_key, cohort_start_date) as commitments,
        row_number() over (
            partition by campaign_key, cohort_start_date
            order by number desc
        ) as recency
    from commitments

),

latest as (

    select * from ranked_commitments
    where recency = 1

),

judged as (

    select
        crossings.*,
        cohorts.cohort_end_date,
        cohorts.is_provisional,
        run_parameter.as_of_date,
        latest.metric as committed_metric,
        latest.rate as committed_rate,
        latest.window_days as committed_window_days,
        latest.committed_by,
        latest.committed_at,
        coalesce(latest.commitments, 0) as commitments,
        coalesce(latest.metric, plan_rates.metric) as judged_metric,
        coalesce(latest.rate, plan_rates.rate) as judged_rate,
        case when latest.metric is null then plan_rates.window_days else latest.window_days end
            as judged_window_days,
        case
            when latest.metric is not null then 'committed'
            when plan_rates.metric is not null then 'plan'
        end as judged_by,
        case
            when not crossings.is_above then 'below threshold'
            when latest.metric is not null then 'committed'
            when run_parameter.as_of_date <= crossings.due_date then 'uncommitted'
            else 'overdue'
        end as status
    from crossings
    inner join cohorts
        on
            crossings.campaign_key = cohorts.campaign_key
            and crossings.cohort_start_date = cohorts.cohort_start_date
    cross join run_parameter
    left join latest
        on
            crossings.campaign_key = latest.campaign_key
            and crossings.cohort_start_date = latest.cohort_start_date
    left join plan_rates
        on
            crossings.campaign_key = plan_rates.campaign_key
            and crossings.cohort_start_date = plan_rates.cohort_start_date

),

dated_outcomes as (

    select
        judged.campaign_key,
        judged.cohort_start_date,
        judged.as_of_date,
        outcomes.reached_next_date,
        outcomes.ended_date,
        case
            when judged.judged_window_days is not null
                then {{ add_days("outcomes.entered_date", "judged.judged_window_days") }}
        end as last_date
    from judged
    inner join outcomes
        on
            judged.campaign_key = outcomes.campaign_key
            and judged.cohort_start_date = outcomes.cohort_start_date
            and judged.judged_metric = outcomes.metric

),

done as (

    select
        campaign_key,
        cohort_start_date,
        count(*) as entered,
        count(
            case
                when
                    reached_next_date is not null
                    and (last_date is null or reached_next_date <= last_date)
                    then 1
            end
        ) as converted,
        count(
            case
                when
                    coalesce(reached_next_date <= last_date, false)
                    or (last_date is null and reached_next_date is not null)
                    or ended_date is not null
                    or coalesce(last_date < as_of_date, false)
                    then 1
            end
        ) as matured
    from dated_outcomes
    group by campaign_key, cohort_start_date

),

final as (

    select
        -- ids
        judged.campaign_key,
        judged.version as plan_version,
        -- text
        judged.status,
        judged.committed_metric,
        judged.committed_by,
        judged.judged_metric,
        judged.judged_by,
        -- numbers
        judged.spend_minor,
        judged.threshold_minor,
        case when judged.status = 'committed' then judged.spend_minor else 0 end
            as committed_minor,
        case when judged.status = 'uncommitted' then judged.spend_minor else 0 end
            as uncommitted_minor,
        case when judged.status = 'overdue' then judged.spend_minor else 0 end as overdue_minor,
        judged.committed_rate,
        judged.committed_window_days,
        judged.commitments,
        judged.judged_rate,
        judged.judged_window_days,
        case when judged.judged_metric is not null then coalesce(done.entered, 0) end as entered,
        case when judged.judged_metric is not null then coalesce(done.matured, 0) end as matured,
        case when judged.judged_metric is not null then coalesce(done.converted, 0) end
            as converted,
        {{ quotient("done.converted", "done.matured") }} as actual_rate,
        -- booleans
        judged.is_provisional,
        -- times
        judged.cohort_start_date,
        judged.cohort_end_date,
        judged.crossed_date,
        judged.due_date,
        judged.committed_at
    from judged
    left join done
        on
            judged.campaign_key = done.campaign_key
            and judged.cohort_start_date = done.cohort_start_date

)

select * from final
