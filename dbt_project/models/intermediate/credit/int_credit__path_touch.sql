-- The touches on the way to an opportunity's opening and to its end, in their order: those that may
-- earn credit and, where it was lost, those that led nowhere.
-- Grain: path_number, position (from 1); a touch is in a path once.
-- Unit person: the touches of whoever has a part in the opportunity, each once, however many leads,
-- roles and contacts lead to them. Unit account: those and all others of its account. The rows are
-- as narrow as can be: what is said of the path stands in int_credit__path_shape.

with

paths as (

    select * from {{ ref("int_credit__path") }}

),

touches as (

    select * from {{ ref("int_touch") }}

),

persons as (

    select * from {{ ref("int_opportunity__person") }}

),

campaigns as (

    select * from {{ ref("int_credit__campaign") }}

),

setting as (

    select * from {{ ref("stg_landed__credit_setting") }}

),

-- An account's own touches are taken below, by whomever.
by_person as (

    select
        paths.path_number,
        touches.touch_id,
        touches.campaign_key,
        touches.occurred_at,
        paths.anchor_at
    from touches
    cross join setting
    inner join persons on touches.person_id = persons.person_id
    inner join paths
        on
            persons.opportunity_id = paths.opportunity_id
            and touches.occurred_at <= paths.anchor_at
            and touches.occurred_at >= paths.earliest_at
    where setting.unit = 'person' or touches.account_id is distinct from paths.account_id

),

by_account as (

    select
        paths.path_number,
        touches.touch_id,
        touches.campaign_key,
        touches.occurred_at,
        paths.anchor_at
    from touches
    cross join setting
    inner join paths
        on
            touches.account_id = paths.account_id
            and touches.occurred_at <= paths.anchor_at
            and touches.occurred_at >= paths.earliest_at
    where setting.unit = 'account'

),

reached as (

    select * from by_person

    union all

    select * from by_account

),

numbered as (

    select
        reached.path_number,
        reached.touch_id,
        campaigns.campaign_number,
        reached.occurred_at,
        cast(
            {{ floor_div(seconds_between("reached.occurred_at", "reached.anchor_at"), 86400) }}
            as integer
        ) as age_days
    from reached
    inner join campaigns on reached.campaign_key = campaigns.campaign_key

),

final as (

    select
        path_number,
        row_number() over (
            partition by path_number
            order by occurred_at, touch_id
        ) as position,
        touch_id,
        campaign_number,
        age_days,
        occurred_at as touched_at
    from numbered

)

select * from final
