-- The versions of spend as departments may count them.
-- Grain: record_id (feed, stream, source, account, campaign key, day, currency and kind),
-- version_number.
-- `delta_quantity` adds up over versions to what the books count today, in minor units of the
-- reporting currency; `other_delta_quantity` to the same at the other rate: the day's where the
-- books take the plan's, else the plan's. A credit is what its source says is one, or whatever is
-- below zero today. Empty where nobody claims spend.

with

versions_of_spend as (

    select * from {{ ref("int_spend__version") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

plan_rates as (

    select * from {{ ref("int_plan__reporting_rate") }}

),

spend_rates as (

    select * from {{ ref("int_currency__spend_rate") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

claims as (

    select * from {{ ref("int_claim") }}
    where kpi = 'budget'

),

valued as (

    select
        versions_of_spend.feed || '|' || versions_of_spend.stream
        || '|' || versions_of_spend.source || '|' || versions_of_spend.account
        || '|' || versions_of_spend.campaign_key
        || '|' || cast(versions_of_spend.spend_date as varchar)
        || '|' || versions_of_spend.currency || '|' || versions_of_spend.kind as record_id,
        versions_of_spend.campaign_key,
        versions_of_spend.kind,
        versions_of_spend.version_number,
        versions_of_spend.known_at,
        versions_of_spend.spend_date,
        versions_of_spend.is_current,
        versions_of_spend.amount_minor as quantity,
        case
            when coalesce(spend_rates.basis, 'market') <> 'plan' and plan_rates.rate is null
                then versions_of_spend.amount_minor
            else {{ converted_minor(
                "versions_of_spend.cost_minor",
                "case when spend_rates.basis = 'plan' then spend_rates.market_rate"
                ~ " else plan_rates.rate end",
                "currencies.exponent",
                "reporting.exponent",
            ) }}
        end as other_quantity
    from versions_of_spend
    cross join run_parameter
    left join versions
        on
            versions_of_spend.spend_date >= versions.counts_from
            and versions_of_spend.spend_date < versions.in_force_to
    left join plan_rates
        on
            versions.version = plan_rates.version
            and versions_of_spend.currency = plan_rates.currency
    left join spend_rates
        on
            versions_of_spend.currency = spend_rates.currency
            and versions_of_spend.spend_date = spend_rates.day
    left join currencies on versions_of_spend.currency = currencies.currency
    left join currencies as reporting on run_parameter.reporting_currency = reporting.currency
    where exists (select 1 from claims)

),

final as (

    select
        record_id,
        campaign_key,
        version_number,
        kind = 'overhead' as is_overhead,
        kind = 'credit'
        or coalesce(
            sum(case when is_current then quantity end) over (partition by record_id) < 0, false
        ) as is_credit,
        quantity - coalesce(
            lag(quantity) over (partition by record_id order by version_number), 0
        ) as delta_quantity,
        other_quantity - coalesce(
            lag(other_quantity) over (partition by record_id order by version_number), 0
        ) as other_delta_quantity,
        known_at,
        spend_date
    from valued

)

select * from final
