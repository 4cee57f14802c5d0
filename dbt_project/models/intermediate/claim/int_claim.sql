-- What each department itself reports, and how it says it counts.
-- Grain: department, metric, period_start_date, period_end_date, scope.
-- Of a figure that was claimed again the latest counts; what was claimed after as_of does not. How
-- a department counts is what the version of the plan in force on the first day of the period says;
-- for days before the first version, what that one says. Money is in whole minor units of the
-- reporting currency. A claim that cannot be held against the books at all has a `problem`.

with

claims as (

    select * from {{ ref("stg_landed__claim") }}

),

counting as (

    select * from {{ ref("stg_landed__plan_counting") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

kpis as (

    select * from {{ ref("kpis") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

named as (

    select
        claims._feed as feed,
        lower(trim(claims.department)) as department,
        lower(trim(claims.metric)) as metric,
        {{ kpi_of_claim("lower(trim(claims.metric))") }} as kpi,
        trim(claims.scope) as scope,
        upper(trim(claims.currency)) as currency,
        claims.value,
        claims.period_start as period_start_date,
        cast(claims.period_end + interval '1' day as date) as period_end_date,
        claims.as_of as claimed_at,
        claims._loaded_at,
        claims._load,
        claims._line,
        run_parameter.reporting_currency
    from claims
    cross join run_parameter
    where claims.as_of <= run_parameter.as_of

),

ranked as (

    select
        *,
        row_number() over (
            partition by department, metric, period_start_date, period_end_date, scope
            order by claimed_at desc, _loaded_at desc, _load desc, _line desc, feed asc
        ) as recency
    from named

),

rules as (

    select
        version,
        lower(trim(department)) as department,
        {{ kpi_of_claim("lower(trim(metric))") }} as kpi,
        {%- for reason in computed_reasons() %}
        max(case when reason = '{{ reason }}' then 1 else 0 end) = 1 as counts_{{ reason }},
        {%- endfor %}
        count(*) as reasons
    from counting
    group by version, lower(trim(department)), {{ kpi_of_claim("lower(trim(metric))") }}

),

judged as (

    select
        ranked.*,
        coalesce(kpis.unit = 'minor', false) as is_money,
        currencies.exponent,
        case
            when not coalesce(kpis.is_additive, false)
                then 'the books keep no such figure: expected one that adds up over days'
            when ranked.value is null then 'the claim has no value'
            when ranked.period_end_date <= ranked.period_start_date
                then 'the period ends before it begins'
            when kpis.unit <> 'minor' then null
            when ranked.currency is null then 'a claim of money without a currency'
            when ranked.currency <> ranked.reporting_currency or currencies.exponent is null
                then 'claimed in another currency than the books are kept in'
        end as problem
    from ranked
    left join kpis on ranked.kpi = kpis.metric
    left join currencies on ranked.reporting_currency = currencies.currency
    where ranked.recency = 1

),

final as (

    select
        -- ids
        judged.feed,
        judged.department || '|' || judged.metric || '|' || judged.scope
        || '|' || cast(judged.period_start_date as varchar)
        || '|' || cast(judged.period_end_date as varchar) as claim_key,
        versions.version as plan_version,
        -- text
        judged.department,
        judged.metric,
        judged.kpi,
        judged.scope,
        judged.currency,
        judged.problem,
        -- numbers
        judged.exponent,
        judged.value,
        case
            when judged.is_money and judged.problem is null
                then cast(
                    round(
                        judged.value
                        * cast({{ power_of_ten("judged.exponent") }} as decimal(5, 0)),
                        0
                    ) as bigint
                )
        end as value_minor,
        -- booleans
        judged.is_money,
        {%- for reason in computed_reasons() %}
        coalesce(rules.counts_{{ reason }}, false) as counts_{{ reason }},
        {%- endfor %}
        -- times
        judged.period_start_date,
        judged.period_end_date,
        judged.claimed_at
    from judged
    left join versions
        on
            judged.period_start_date >= versions.counts_from
            and judged.period_start_date < versions.in_force_to
    left join rules
        on
            versions.version = rules.version
            and judged.department = rules.department
            and judged.kpi = rules.kpi

)

select * from final
