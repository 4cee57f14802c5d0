-- The versions of the plan that count, the days on which each is in force, and the rules it sets.
-- Grain: version.
-- Only signed versions count. A version ends where the next signed one begins; one that begins on
-- the same day as the next is never in force and not here.

with

versions as (

    select * from {{ ref("stg_landed__plan_version") }}
    where is_signed

),

policies as (

    select * from {{ ref("stg_landed__plan_policy") }}

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
        with_end.in_force_from,
        with_end.in_force_to
    from with_end
    left join policies on with_end.version = policies.version
    where with_end.in_force_from < with_end.in_force_to

)

select * from final
