-- Spend as it stands today, per campaign and day, in its own and in the reporting currency.
-- Grain: feed, source, account, campaign_key, spend_date, currency, kind.
-- `cost_minor` adds up within one currency only; `amount_minor` and `constant_amount_minor` always.

with

versions as (

    select * from {{ ref("int_spend__version") }}

),

spend_rates as (

    select * from {{ ref("int_currency__spend_rate") }}

),

constant_rates as (

    select * from {{ ref("int_currency__constant_rate") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

summed as (

    select
        feed,
        source,
        account,
        campaign_key,
        cohort_start_date,
        spend_date,
        currency,
        kind,
        {{ exact_sum("case when is_current then cost_minor end") }} as cost_minor,
        {{ exact_sum("case when is_current then amount_minor end") }} as amount_minor,
        {{ exact_sum("case when version_number > 1 then delta_minor else 0 end") }}
            as restated_minor,
        {{ exact_sum("case when is_current then impressions end") }} as impressions,
        {{ exact_sum("case when is_current then clicks end") }} as clicks,
        max(case when is_from_detail then 1 else 0 end) = 1 as is_from_detail,
        max(version_number) as versions,
        max(known_at) as last_known_at
    from versions
    group by
        feed, source, account, campaign_key, cohort_start_date, spend_date, currency, kind

),

-- One rate a currency: read once for all of its days.
constant_minor_rates as (

    select
        constant_rates.currency,
        {{ minor_rate("constant_rates.rate", "currencies.exponent", "reporting.exponent") }}
            as minor_rate
    from constant_rates
    cross join run_parameter
    inner join currencies on constant_rates.currency = currencies.currency
    inner join currencies as reporting on run_parameter.reporting_currency = reporting.currency

),

final as (

    select
        summed.feed,
        summed.source,
        summed.account,
        summed.campaign_key,
        summed.cohort_start_date,
        summed.spend_date,
        summed.currency,
        summed.kind,
        summed.cost_minor,
        summed.amount_minor,
        {{ at_minor_rate("summed.cost_minor", "constant_minor_rates.minor_rate") }}
            as constant_amount_minor,
        summed.restated_minor,
        spend_rates.basis as rate_basis,
        spend_rates.rate,
        summed.impressions,
        summed.clicks,
        summed.is_from_detail,
        summed.versions,
        summed.last_known_at
    from summed
    left join spend_rates
        on
            summed.currency = spend_rates.currency
            and summed.spend_date = spend_rates.day
    left join constant_minor_rates on summed.currency = constant_minor_rates.currency

)

select * from final
