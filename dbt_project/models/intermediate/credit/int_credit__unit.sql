-- The persons (or accounts) with touches and without any opportunity, and whether that is decided:
-- their last touch is older than the look-back. The others may still convert: they are censored.
-- Grain: unit_id.

with

touches as (

    select * from {{ ref("int_touch") }}

),

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

persons as (

    select * from {{ ref("int_opportunity__person") }}

),

setting as (

    select * from {{ ref("stg_landed__credit_setting") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

persons_with_opportunity as (

    select distinct person_id
    from persons

),

accounts_with_opportunity as (

    select distinct opportunities.account_id
    from opportunities
    cross join setting
    where setting.unit = 'account' and opportunities.account_id is not null

),

-- Touches of nobody known are on no path.
without_opportunity as (

    select
        case when setting.unit = 'account' then touches.account_id end as account_id,
        touches.person_id,
        touches.occurred_at
    from touches
    cross join setting
    left join persons_with_opportunity
        on touches.person_id = persons_with_opportunity.person_id
    left join accounts_with_opportunity
        on touches.account_id = accounts_with_opportunity.account_id
    where
        persons_with_opportunity.person_id is null
        and accounts_with_opportunity.account_id is null

),

units as (

    select
        coalesce('account:' || account_id, person_id) as unit_id,
        max(occurred_at) as last_touched_at
    from without_opportunity
    where coalesce(account_id, person_id) is not null
    group by coalesce('account:' || account_id, person_id)

),

final as (

    select
        units.unit_id,
        substring(md5(units.unit_id), 1, 2) as block,
        units.last_touched_at < {{ days_before("run_parameter.as_of", "setting.look_back_days") }}
            as is_decided,
        units.last_touched_at,
        {{ days_before("units.last_touched_at", "setting.look_back_days") }} as earliest_at
    from units
    cross join setting
    cross join run_parameter

)

select * from final
