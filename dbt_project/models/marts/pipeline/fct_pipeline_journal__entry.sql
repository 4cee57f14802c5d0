-- The pipeline journal: every change of every opportunity, as entries that add up to what is open.
-- Grain: entry_id. `reporting_amount_minor`, `deals` and `deals_without_amount` are signed and add
-- up, over anything, to the open pipeline at any instant; `amount_minor` within one currency only.
-- created and reopened let a deal in, won and lost let it out with all it is then worth; increased
-- and decreased change its amount (one of each where the currency changed); revalued changes the
-- rate: before won, and at as_of where the plan's policy shows open deals at today's. advanced,
-- regressed, pulled_in, pushed_out and reassigned move a deal that is worth `moved_minor`; they
-- change no total. A correction of what was won goes in and out again at once. An amount that
-- becomes known is an increase, one that is no longer known a decrease; unknown stays null.
-- Changes at one instant are posted in the order of `posting_number`.

with

versions as (

    select * from {{ ref("int_opportunity__version") }}

),

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

amounts as (

    select * from {{ ref("int_opportunity__amount") }}

),

days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

today as (

    select
        as_of,
        {{ local_date("as_of", "time_zone") }} as as_of_date
    from run_parameter

),

-- Each version beside the one before it.
steps as (

    select
        *,
        {%- for column in [
            "stage",
            "stage_ordinal",
            "outcome",
            "owner",
            "currency",
            "close_date",
            "amount_minor",
            "carried_amount_minor",
            "reporting_amount_minor",
            "constant_amount_minor",
        ] %}
        lag({{ column }}) over (
            partition by opportunity_id
            order by version_number
        ) as from_{{ column }},
        {%- endfor %}
        lag(version_number) over (
            partition by opportunity_id
            order by version_number
        ) as from_version_number
    from versions

),

-- What happens at each step: into the open pipeline, a change within it, out of it.
judged as (

    select
        *,
        case
            when from_version_number is null then 'created'
            when from_outcome = 'open' or from_outcome = outcome then null
            else 'reopened'
        end as way_in,
        case
            when outcome = 'open' then null
            when from_outcome = outcome then null
            else outcome
        end as way_out,
        coalesce(from_outcome = 'open', false) as is_within,
        coalesce(from_outcome = 'won' and outcome = 'won', false) as is_correction,
        (currency is distinct from from_currency) as is_other_currency,
        case
            when outcome = 'won' and from_outcome = 'won' then reporting_amount_minor
            else carried_amount_minor
        end as value_minor,
        case
            when outcome = 'won' and from_outcome = 'won' then from_reporting_amount_minor
            else from_carried_amount_minor
        end as from_value_minor
    from steps

),

ways_in as (

    select
        opportunity_id,
        version_number,
        1 as step,
        way_in as kind,
        currency,
        amount_minor,
        carried_amount_minor as reporting_amount_minor,
        cast(null as bigint) as moved_minor,
        constant_amount_minor,
        1 as deals,
        case when carried_amount_minor is null then 1 else 0 end as deals_without_amount
    from judged
    where way_in is not null

),

reassignments as (

    select
        opportunity_id,
        version_number,
        2 as step,
        'reassigned' as kind,
        from_currency as currency,
        0 as amount_minor,
        0 as reporting_amount_minor,
        from_carried_amount_minor as moved_minor,
        0 as constant_amount_minor,
        0 as deals,
        0 as deals_without_amount
    from judged
    where is_within and owner is distinct from from_owner

),

date_moves as (

    select
        opportunity_id,
        version_number,
        3 as step,
        case when close_date < from_close_date then 'pulled_in' else 'pushed_out' end as kind,
        from_currency as currency,
        0 as amount_minor,
        0 as reporting_amount_minor,
        from_carried_amount_minor as moved_minor,
        0 as constant_amount_minor,
        0 as deals,
        0 as deals_without_amount
    from judged
    where is_within and close_date <> from_close_date

),

money_changes as (

    select
        *,
        case when value_minor is null then 1 else 0 end
        - case when from_value_minor is null then 1 else 0 end as deals_without_amount
    from judged
    where
        (is_within or is_correction)
        and (
            amount_minor is distinct from from_amount_minor
            or value_minor is distinct from from_value_minor
            or (is_other_currency and amount_minor is not null)
        )

),

-- Of another currency: all of the old one out, then all of the new one in.
money_out as (

    select
        opportunity_id,
        version_number,
        4 as step,
        case when from_amount_minor < 0 then 'increased' else 'decreased' end as kind,
        from_currency as currency,
        -from_amount_minor as amount_minor,
        -from_value_minor as reporting_amount_minor,
        cast(null as bigint) as moved_minor,
        -from_constant_amount_minor as constant_amount_minor,
        0 as deals,
        case when amount_minor is null then deals_without_amount else 0 end as deals_without_amount,
        is_correction
    from money_changes
    where is_other_currency and from_amount_minor is not null

),

money_in as (

    select
        opportunity_id,
        version_number,
        5 as step,
        case when amount_minor < 0 then 'decreased' else 'increased' end as kind,
        currency,
        amount_minor,
        value_minor as reporting_amount_minor,
        cast(null as bigint) as moved_minor,
        constant_amount_minor,
        0 as deals,
        deals_without_amount,
        is_correction
    from money_changes
    where is_other_currency and amount_minor is not null

),

money_more_or_less as (

    select
        opportunity_id,
        version_number,
        5 as step,
        case
            when amount_minor = from_amount_minor then 'revalued'
            when coalesce(amount_minor, 0) < coalesce(from_amount_minor, 0) then 'decreased'
            when coalesce(amount_minor, 0) > coalesce(from_amount_minor, 0) then 'increased'
            when amount_minor is null then 'decreased'
            else 'increased'
        end as kind,
        currency,
        coalesce(amount_minor, 0) - coalesce(from_amount_minor, 0) as amount_minor,
        case
            when value_minor is not null or from_value_minor is not null
                then coalesce(value_minor, 0) - coalesce(from_value_minor, 0)
        end as reporting_amount_minor,
        cast(null as bigint) as moved_minor,
        case
            when constant_amount_minor is not null or from_constant_amount_minor is not null
                then coalesce(constant_amount_minor, 0) - coalesce(from_constant_amount_minor, 0)
        end as constant_amount_minor,
        0 as deals,
        deals_without_amount,
        is_correction
    from money_changes
    where not is_other_currency

),

money as (

    select * from money_out

    union all

    select * from money_in

    union all

    select * from money_more_or_less

),

-- What is won is no longer open: what a correction lets in goes out at once.
corrections as (

    select
        opportunity_id,
        version_number,
        step + 4 as step,
        'won' as kind,
        currency,
        -amount_minor as amount_minor,
        -reporting_amount_minor as reporting_amount_minor,
        moved_minor,
        -constant_amount_minor as constant_amount_minor,
        deals,
        -deals_without_amount as deals_without_amount
    from money
    where is_correction

),

stage_moves as (

    select
        opportunity_id,
        version_number,
        6 as step,
        case when stage_ordinal < from_stage_ordinal then 'regressed' else 'advanced' end as kind,
        currency,
        0 as amount_minor,
        0 as reporting_amount_minor,
        carried_amount_minor as moved_minor,
        0 as constant_amount_minor,
        0 as deals,
        0 as deals_without_amount
    from judged
    where is_within and is_open and stage <> from_stage

),

revaluations as (

    select
        opportunity_id,
        version_number,
        7 as step,
        'revalued' as kind,
        currency,
        0 as amount_minor,
        coalesce(reporting_amount_minor, 0) - coalesce(carried_amount_minor, 0)
            as reporting_amount_minor,
        cast(null as bigint) as moved_minor,
        0 as constant_amount_minor,
        0 as deals,
        case when reporting_amount_minor is null then 1 else 0 end
        - case when carried_amount_minor is null then 1 else 0 end as deals_without_amount
    from judged
    where way_out = 'won' and reporting_amount_minor is distinct from carried_amount_minor

),

ways_out as (

    select
        opportunity_id,
        version_number,
        8 as step,
        way_out as kind,
        currency,
        -amount_minor as amount_minor,
        -reporting_amount_minor as reporting_amount_minor,
        cast(null as bigint) as moved_minor,
        -constant_amount_minor as constant_amount_minor,
        -1 as deals,
        case when reporting_amount_minor is null then -1 else 0 end as deals_without_amount
    from judged
    where way_out is not null

),

-- Today's value of what is open, where that is not the one it is carried at.
revaluations_today as (

    select
        versions.opportunity_id,
        versions.version_number,
        10 as step,
        'revalued' as kind,
        versions.currency,
        0 as amount_minor,
        coalesce(amounts.reporting_amount_minor, 0) - coalesce(versions.carried_amount_minor, 0)
            as reporting_amount_minor,
        cast(null as bigint) as moved_minor,
        0 as constant_amount_minor,
        0 as deals,
        case when amounts.reporting_amount_minor is null then 1 else 0 end
        - case when versions.carried_amount_minor is null then 1 else 0 end as deals_without_amount
    from versions
    inner join amounts on versions.opportunity_id = amounts.opportunity_id
    where
        versions.valid_to is null
        and versions.is_open
        and amounts.reporting_amount_minor is distinct from versions.carried_amount_minor

),

entries as (

    select * from ways_in

    union all

    select * from reassignments

    union all

    select * from date_moves

    union all

    select
        opportunity_id,
        version_number,
        step,
        kind,
        currency,
        amount_minor,
        reporting_amount_minor,
        moved_minor,
        constant_amount_minor,
        deals,
        deals_without_amount
    from money

    union all

    select * from corrections

    union all

    select * from stage_moves

    union all

    select * from revaluations

    union all

    select * from ways_out

    union all

    select * from revaluations_today

),

described as (

    select
        entries.opportunity_id,
        entries.kind,
        opportunities.campaign_key,
        opportunities.product as segment,
        judged.owner,
        case when entries.kind = 'reassigned' then judged.from_owner end as from_owner,
        case when entries.step in (1, 6, 8) then judged.from_stage end as from_stage,
        case when entries.step in (1, 6, 8, 10) then judged.stage else judged.from_stage end
            as to_stage,
        entries.currency,
        entries.version_number * 10 + entries.step as posting_number,
        entries.amount_minor,
        entries.reporting_amount_minor,
        entries.moved_minor,
        entries.constant_amount_minor,
        entries.deals,
        entries.deals_without_amount,
        judged.is_estimated and entries.step < 10 as is_estimated,
        case when entries.step = 10 then today.as_of else judged.valid_from end as occurred_at,
        case when entries.step = 10 then today.as_of_date else judged.valid_from_date end
            as posted_date,
        case when entries.step = 3 then judged.from_close_date end as from_close_date,
        case when entries.step = 3 then judged.close_date end as to_close_date
    from entries
    cross join today
    inner join judged
        on
            entries.opportunity_id = judged.opportunity_id
            and entries.version_number = judged.version_number
    inner join opportunities on entries.opportunity_id = opportunities.opportunity_id

),

final as (

    select
        -- ids
        described.kind || '|' || described.opportunity_id || '|'
        || cast(described.posting_number as varchar) as entry_id,
        described.opportunity_id,
        -- text
        described.kind,
        described.campaign_key,
        described.segment,
        described.owner,
        described.from_owner,
        described.from_stage,
        described.to_stage,
        described.currency,
        -- numbers
        cast(described.posting_number as bigint) as posting_number,
        cast(described.amount_minor as bigint) as amount_minor,
        cast(described.reporting_amount_minor as bigint) as reporting_amount_minor,
        cast(described.moved_minor as bigint) as moved_minor,
        cast(described.constant_amount_minor as bigint) as constant_amount_minor,
        cast(described.deals as bigint) as deals,
        cast(described.deals_without_amount as bigint) as deals_without_amount,
        -- booleans
        coalesce(
            {{ period_start("quarter", "described.from_close_date", "from_days") }}
            <> {{ period_start("quarter", "described.to_close_date", "to_days") }},
            false
        ) as crosses_quarter,
        described.is_estimated,
        -- times
        described.occurred_at,
        described.posted_date,
        described.from_close_date,
        described.to_close_date
    from described
    left join days as from_days on described.from_close_date = from_days.day
    left join days as to_days on described.to_close_date = to_days.day

)

select * from final
