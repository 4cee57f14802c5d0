-- When each version of spend enters the books. The first version is posted on its own day; a
-- restatement when it became known. Restatements known before the cohort's period closed belong to
-- the opening total that its leads share; later ones are posted once a day per cohort, together.
-- Grain: as int_spend__version.

with

versions as (

    select * from {{ ref("int_spend__version") }}

),

cohorts as (

    select * from {{ ref("int_cohort") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

dated as (

    select
        versions.feed,
        versions.stream,
        versions.source,
        versions.account,
        versions.campaign_key,
        versions.cohort_start_date,
        versions.spend_date,
        versions.currency,
        versions.kind,
        versions.version_number,
        versions.known_at,
        versions.delta_amount_minor,
        cohorts.is_overhead,
        cohorts.is_provisional,
        versions.version_number > 1
        and cohorts.closes_at is not null
        and versions.known_at >= cohorts.closes_at as is_after_close,
        {{ local_to_utc("cast(versions.spend_date as timestamp)", "run_parameter.time_zone") }}
            as spend_day_at,
        {{ local_date("versions.known_at", "run_parameter.time_zone") }} as known_date
    from versions
    inner join cohorts
        on
            versions.campaign_key = cohorts.campaign_key
            and versions.cohort_start_date = cohorts.cohort_start_date
    cross join run_parameter

),

final as (

    select
        feed,
        stream,
        source,
        account,
        campaign_key,
        cohort_start_date,
        spend_date,
        currency,
        kind,
        version_number,
        known_at,
        delta_amount_minor,
        is_overhead,
        is_provisional,
        is_after_close,
        case
            when version_number = 1 then spend_day_at
            when is_after_close
                then max(known_at) over (
                    partition by campaign_key, cohort_start_date, known_date, is_after_close
                )
            else greatest(known_at, spend_day_at)
        end as occurred_at
    from dated

)

select * from final
