-- The versions of the plan that count, the days on which each is in force, and the rules it sets.
-- Grain: version.
-- Only signed versions count. A version ends where the next signed one begins; one that begins on
-- the same day as the next is never in force and not here. Versions follow one another (law P5), so
-- the newest that has begun is the one in force today.
-- What is asked of every day, with a plan or without, goes by `counts_from`: the first version also
-- says how the days before it are counted.

with

versions as (

    select * from {{ ref("stg_landed__plan_version") }}
    where is_signed

),

policies as (

    select * from {{ ref("stg_landed__plan_policy") }}

),

run_parameter as (

    select {{ local_date("as_of", "time_zone") }} as as_of_date
    from {{ ref("stg_landed__run_parameter") }}

),

with_end as (

    select
        version,
        currency,
        effective_from as in_force_from,
        coalesce(
            lead(effective_from) over (order by effective_from, version),
            cast('9999-12-31' as date)
        ) as in_force_to
    from versions

),

final as (

    select
        with_end.version,
        with_end.currency,
        policies.spend_rate,
        policies.pipeline_rate,
        policies.won_rate,
        policies.commitment_threshold_minor,
        policies.commitment_grace_days,
        policies.variance_after_pct,
        policies.variance_sigma,
        policies.handoff_share_pct,
        with_end.in_force_from <= run_parameter.as_of_date as has_begun,
        with_end.in_force_from <= run_parameter.as_of_date
        and with_end.in_force_to > run_parameter.as_of_date as is_in_force_today,
        case
            when with_end.in_force_from = min(with_end.in_force_from) over ()
                then cast('0001-01-01' as date)
            else with_end.in_force_from
        end as counts_from,
        with_end.in_force_from,
        with_end.in_force_to
    from with_end
    cross join run_parameter
    left join policies on with_end.version = policies.version
    where with_end.in_force_from < with_end.in_force_to

)

select * from final
