-- Rates to the reporting currency as intervals: a day without a rate takes the last one before it,
-- for at most a week (weekends, holidays); after that there is none, and law B9 says so.
-- Grain: currency, valid_from. The reporting currency itself is 1, always.

with

fx_rates as (

    select * from {{ ref("stg_landed__fx_rate") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

-- The same day delivered twice: the newest load counts, then the line furthest down.
newest as (

    select
        fx_rates.currency,
        fx_rates.day,
        fx_rates.rate,
        row_number() over (
            partition by fx_rates.currency, fx_rates.day
            order by
                fx_rates._loaded_at desc,
                fx_rates._load desc,
                fx_rates._line desc,
                fx_rates._feed asc,
                fx_rates._file asc
        ) as recency
    from fx_rates

),

foreign_rates as (

    select
        newest.currency,
        newest.day as valid_from,
        lead(newest.day) over (
            partition by newest.currency
            order by newest.day
        ) as next_day,
        cast(newest.day + interval '8' day as date) as last_day,
        cast(newest.rate as decimal(18, 9)) as rate
    from newest
    cross join run_parameter
    where
        newest.recency = 1
        and newest.currency <> run_parameter.reporting_currency

),

final as (

    select
        currency,
        valid_from,
        least(coalesce(next_day, last_day), last_day) as valid_to,
        rate
    from foreign_rates

    union all

    select
        reporting_currency as currency,
        cast('0001-01-01' as date) as valid_from,
        cast('9999-12-31' as date) as valid_to,
        cast(1 as decimal(18, 9)) as rate
    from run_parameter

)

select * from final
