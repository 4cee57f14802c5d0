-- Spend as it stands today, per campaign and day, in its own and in the reporting currency.
-- Grain: feed, source, account, campaign_key, spend_date, currency, kind.
-- `cost_minor` adds up within one currency only; `amount_minor` always.

with

versions as (

    select * from {{ ref("int_spend__version") }}

),

final as (

    select
        feed,
        source,
        account,
        campaign_key,
        cohort_start_date,
        spend_date,
        currency,
        kind,
        {{ exact_sum("case when is_current then cost_minor else 0 end") }} as cost_minor,
        {{ exact_sum("case when is_current then amount_minor end") }} as amount_minor,
        {{ exact_sum("case when version_number > 1 then delta_minor else 0 end") }}
            as restated_minor,
        {{ exact_sum("case when is_current then impressions end") }} as impressions,
        {{ exact_sum("case when is_current then clicks end") }} as clicks,
        max(version_number) as versions,
        max(known_at) as last_known_at
    from versions
    group by
        feed, source, account, campaign_key, cohort_start_date, spend_date, currency, kind

)

select * from final
