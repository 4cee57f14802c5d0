-- The KPIs a plan may have: what each counts, what it is made of and where its money shows.
-- Grain: metric.

with

kpis as (

    select * from {{ ref("kpis") }}

),

final as (

    select
        metric,
        unit,
        kind,
        department,
        from_stage,
        to_stage,
        numerator,
        denominator,
        activity_metric,
        value_metric,
        better,
        description,
        cast(ordinal as bigint) as ordinal,
        is_additive
    from kpis

)

select * from final
