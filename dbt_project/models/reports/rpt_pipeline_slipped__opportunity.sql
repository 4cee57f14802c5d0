-- Slipped and pulled-in deals: open ones whose expected close date is past, or has ever moved into
-- another fiscal quarter; how often it moved, from when to when, and what they were and are worth.
-- Grain: opportunity_id.
-- The first close date is the first that is known while the deal was open; its value is the one the
-- deal then had, at the rate it is carried at.

with

versions as (

    select * from {{ ref("int_opportunity__version") }}
    where is_open

),

entries as (

    select * from {{ ref("fct_pipeline_journal__entry") }}
    where kind in ('pulled_in', 'pushed_out')

),

opportunities as (

    select * from {{ ref("fct_opportunity") }}
    where is_open and close_date is not null

),

days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

moves as (

    select
        opportunity_id,
        count(case when kind = 'pushed_out' then 1 end) as pushed_out_entries,
        count(case when kind = 'pulled_in' then 1 end) as pulled_in_entries,
        count(case when crosses_quarter then 1 end) as quarter_moves,
        max(occurred_at) as latest_move_at
    from entries
    group by opportunity_id

),

ranked as (

    select
        opportunity_id,
        close_date,
        carried_amount_minor,
        row_number() over (
            partition by opportunity_id
            order by version_number
        ) as known_number
    from versions
    where close_date is not null

),

compared as (

    select
        opportunities.*,
        ranked.close_date as first_close_date,
        ranked.carried_amount_minor as first_reporting_amount_minor,
        {{ period_start("quarter", "ranked.close_date", "first_days") }}
            as first_quarter_start_date,
        {{ period_start("quarter", "opportunities.close_date", "current_days") }}
            as quarter_start_date,
        coalesce(moves.pushed_out_entries, 0) as pushed_out_entries,
        coalesce(moves.pulled_in_entries, 0) as pulled_in_entries,
        coalesce(moves.quarter_moves, 0) as quarter_moves,
        moves.latest_move_at,
        opportunities.close_date
        < {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }} as is_overdue
    from opportunities
    cross join run_parameter
    inner join ranked
        on
            opportunities.opportunity_id = ranked.opportunity_id
            and ranked.known_number = 1
    left join moves on opportunities.opportunity_id = moves.opportunity_id
    left join days as first_days on ranked.close_date = first_days.day
    left join days as current_days on opportunities.close_date = current_days.day

),

final as (

    select
        -- ids
        opportunity_id,
        -- text
        campaign_key,
        product as segment,
        owner,
        stage,
        case
            when first_quarter_start_date = quarter_start_date
                then case when is_overdue then 'overdue' else 'moved and back' end
            when close_date > first_close_date then 'slipped'
            else 'pulled in'
        end as status,
        -- numbers
        {{ days_between("first_close_date", "close_date") }} as slipped_days,
        pushed_out_entries,
        pulled_in_entries,
        quarter_moves,
        first_reporting_amount_minor,
        reporting_amount_minor,
        -- booleans
        is_overdue,
        is_new_business,
        -- times
        first_close_date,
        first_quarter_start_date,
        close_date,
        quarter_start_date,
        latest_move_at
    from compared
    where
        is_overdue
        or quarter_moves > 0
        or first_quarter_start_date <> quarter_start_date

)

select * from final
