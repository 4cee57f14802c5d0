-- What was claimed: law B7 holds each claim against its lines in the bridge.
-- Grain: department, metric, period_start_date, period_end_date, scope of the claims that are known
-- at as_of; and a row for every one that is claimed later, which counts for nothing yet.
-- `is_as_published`: the figure of the books follows from the published tables alone. Those of a
-- part of the company do not, and a plan may have the books count other entries than the first.

with

claims as (

    select * from {{ ref("int_claim") }}

),

landed as (

    select * from {{ ref("stg_landed__claim") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

stage_rules as (

    select * from {{ ref("stg_landed__plan_stage") }}

),

plans as (

    select
        coalesce(max(case when stage_rules.counts <> 'first' then 1 else 0 end), 0) = 0
            as is_first_entry_counted
    from versions
    left join stage_rules on versions.version = stage_rules.version

),

known as (

    select
        claims.feed,
        claims.plan_version,
        claims.department,
        claims.metric,
        claims.scope,
        claims.currency,
        claims.problem,
        claims.value,
        claims.value_minor,
        true as is_known,
        case
            when claims.problem is not null or claims.scope <> 'company' then false
            when claims.kpi in ('leads', 'budget') then true
            when claims.kpi in ('mqls', 'sals', 'sqls') then plans.is_first_entry_counted
            else false
        end as is_as_published,
        claims.period_start_date,
        claims.period_end_date,
        claims.claimed_at
    from claims
    cross join plans

),

later as (

    select
        landed._feed as feed,
        cast(null as bigint) as plan_version,
        landed.department,
        landed.metric,
        landed.scope,
        landed.currency,
        cast(null as varchar) as problem,
        landed.value,
        cast(null as bigint) as value_minor,
        false as is_known,
        false as is_as_published,
        landed.period_start as period_start_date,
        cast(landed.period_end + interval '1' day as date) as period_end_date,
        landed.as_of as claimed_at
    from landed
    cross join run_parameter
    where landed.as_of > run_parameter.as_of

),

final as (

    select * from known

    union all

    select * from later

)

select * from final
