-- How old each source's newest data is, beside the cadence it promised (null: none), and the days
-- it misses.
-- Grain: feed, table_name, source (the platform for spend, the currency for rates, else null).
-- A table whose rows are dated by day is as new as the end of its newest day.

with

cadences as (

    select * from {{ ref("stg_landed__cadence") }}

),

loads as (

    select * from {{ ref("stg_landed__load") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

-- A day that the newest export no longer has is missing, whatever an older one said.
spend as (

    select * from {{ ref("int_spend__version") }}
    where is_current and not is_withdrawal

),

fx_rates as (

    select * from {{ ref("stg_landed__fx_rate") }}

),

delivered_days as (

    select distinct
        feed,
        'spend' as table_name,
        source,
        spend_date as day
    from spend

    union all

    select distinct
        _feed as feed,
        'fx_rates' as table_name,
        currency as source,
        day
    from fx_rates

),

with_previous as (

    select
        feed,
        table_name,
        source,
        day,
        lag(day) over (
            partition by feed, table_name, source
            order by day
        ) as previous_day
    from delivered_days

),

gaps as (

    select
        feed,
        table_name,
        source,
        max(day) as newest_day,
        cast(
            sum(
                case
                    when previous_day is null then 0
                    else {{ days_between("previous_day", "day") }} - 1
                end
            ) as bigint
        ) as missing_days,
        min(
            case
                when {{ days_between("previous_day", "day") }} > 1
                    then cast(previous_day + interval '1' day as date)
            end
        ) as first_missing_day
    from with_previous
    group by feed, table_name, source

),

newest_loads as (

    select
        feed,
        table_name,
        max(data_to) as newest_at
    from loads
    group by feed, table_name

),

delivered_tables as (

    select
        feed,
        table_name
    from newest_loads

    union

    select
        feed,
        table_name
    from cadences

),

with_newest as (

    select
        delivered_tables.feed,
        delivered_tables.table_name,
        gaps.source,
        cadences.cadence_hours,
        coalesce(cadences.is_daily, false) as is_daily,
        case
            when gaps.feed is not null
                then {{ local_to_utc(
                    "cast(gaps.newest_day + interval '1' day as timestamp)",
                    "run_parameter.time_zone",
                ) }}
            else newest_loads.newest_at
        end as newest_at,
        coalesce(gaps.missing_days, 0) as missing_days,
        gaps.first_missing_day,
        run_parameter.as_of
    from delivered_tables
    cross join run_parameter
    left join cadences
        on
            delivered_tables.feed = cadences.feed
            and delivered_tables.table_name = cadences.table_name
    left join newest_loads
        on
            delivered_tables.feed = newest_loads.feed
            and delivered_tables.table_name = newest_loads.table_name
    left join gaps
        on
            delivered_tables.feed = gaps.feed
            and delivered_tables.table_name = gaps.table_name

),

final as (

    select
        feed,
        table_name,
        source,
        cadence_hours,
        is_daily,
        newest_at,
        -- A day that is not over yet has no age.
        greatest({{ hours_between("newest_at", "as_of") }}, 0) as age_hours,
        missing_days,
        first_missing_day
    from with_newest

)

select * from final
