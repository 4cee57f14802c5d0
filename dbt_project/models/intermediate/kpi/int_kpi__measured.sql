-- Which KPIs the books can measure: those whose sources deliver anything at all. Nothing delivered
-- is unknown, not zero.
-- Grain: metric.

with

kpis as (

    select * from {{ ref("kpis") }}

),

spend as (

    select count(*) as landed_rows
    from {{ ref("stg_landed__spend") }}

),

leads as (

    select count(*) as landed_rows
    from {{ ref("stg_landed__lead") }}

),

opportunities as (

    select count(*) as landed_rows
    from {{ ref("stg_landed__opportunity") }}

),

final as (

    select
        kpis.metric,
        case
            when kpis.metric = 'budget' then spend.landed_rows > 0
            when kpis.metric = 'cost_per_lead' then spend.landed_rows > 0 and leads.landed_rows > 0
            when kpis.to_stage in ('lead', 'mql', 'sal', 'sql') or kpis.from_stage = 'sql'
                then leads.landed_rows > 0
            else opportunities.landed_rows > 0
        end as is_measured
    from kpis
    cross join spend
    cross join leads
    cross join opportunities

)

select * from final
