-- What a cohort's leads share, and since when: the opening total (all that was known when the
-- period closed) and one more version for every later restatement.
-- Grain: campaign_key, cohort_start_date, total_number (0 is the opening total).
-- A version holds for instants with known_from < instant <= known_to.

with

postings as (

    select * from {{ ref("int_spend__posting") }}

),

cohorts as (

    select * from {{ ref("int_cohort") }}
    where has_spend and not is_overhead

),

opening as (

    select
        campaign_key,
        cohort_start_date,
        {{ exact_sum("delta_amount_minor") }} as delta_minor
    from postings
    where not is_after_close
    group by campaign_key, cohort_start_date

),

restated as (

    select
        campaign_key,
        cohort_start_date,
        occurred_at,
        {{ exact_sum("delta_amount_minor") }} as delta_minor
    from postings
    where is_after_close
    group by campaign_key, cohort_start_date, occurred_at

),

steps as (

    select
        campaign_key,
        cohort_start_date,
        cast('0001-01-01' as timestamp) as known_from,
        coalesce(delta_minor, 0) as delta_minor
    from opening

    union all

    select
        campaign_key,
        cohort_start_date,
        occurred_at as known_from,
        coalesce(delta_minor, 0) as delta_minor
    from restated

),

cumulated as (

    select
        campaign_key,
        cohort_start_date,
        known_from,
        row_number() over cohort_steps - 1 as total_number,
        coalesce(lead(known_from) over cohort_steps, cast('9999-12-31' as timestamp)) as known_to,
        cast(sum(delta_minor) over (
            partition by campaign_key, cohort_start_date
            order by known_from
            rows between unbounded preceding and current row
        ) as bigint) as total_minor,
        delta_minor
    from steps
    window
        cohort_steps as (
            partition by campaign_key, cohort_start_date
            order by known_from
        )

),

final as (

    select
        cumulated.campaign_key,
        cumulated.cohort_start_date,
        cumulated.total_number,
        cumulated.known_from,
        cumulated.known_to,
        cumulated.total_minor,
        cumulated.total_minor - cumulated.delta_minor as previous_total_minor,
        cohorts.leads,
        cohorts.is_provisional,
        cohorts.is_window_over,
        cohorts.no_lead_at
    from cumulated
    inner join cohorts
        on
            cumulated.campaign_key = cohorts.campaign_key
            and cumulated.cohort_start_date = cohorts.cohort_start_date

)

select * from final
