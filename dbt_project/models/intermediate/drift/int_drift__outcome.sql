-- Whom each cohort is judged on: the rate that each is held to, and when and how each settled.
-- Grain: none of its own: one row for each cohort that a lead (for the win rate: an opportunity) is
-- in, and a lead is in the cohorts of all its scopes and periods.
-- A cohort is whom entered the transition's first stage in a period of the plan (for the win rate:
-- the opportunities opened in it). The rate is, for each of them, what Sales committed to for the
-- campaign's cohort (in the campaign's own scope only: what a channel or the company is held to is
-- the plan), else the plan's for the scope, else its rate for the company, by the version in force
-- on the day of entry; days on which none is in force are not judged.
-- Settled is who reached the next stage within the window, stands in an exit, or is past the window
-- at the newest change that the feed has delivered (int_drift__feed): late data settles nobody.

with

leads as (

    select * from {{ ref("fct_lead") }}

),

opportunities as (

    select * from {{ ref("fct_opportunity") }}
    where is_new_business

),

openings as (

    select * from {{ ref("int_opportunity__opening") }}

),

campaigns as (

    select * from {{ ref("dim_campaign") }}

),

stages as (

    select * from {{ ref("dim_stage") }}

),

feeds as (

    select * from {{ ref("int_drift__feed") }}

),

streams as (

    select * from {{ ref("int_drift__stream") }}

),

plan_members as (

    select * from {{ ref("int_plan__scope_member") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

commitments as (

    select * from {{ ref("int_drift__commitment") }}

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

members as (

    select
        version,
        scope,
        campaign_key
    from plan_members

    union

    select
        versions.version,
        commitments.scope,
        commitments.campaign_key
    from versions
    cross join commitments

),

opened as (

    select
        opportunities.feed,
        opportunities.campaign_key,
        opportunities.stage,
        opportunities.stage_entered_at,
        opportunities.won_at,
        openings.opened_at,
        openings.opened_date
    from opportunities
    inner join openings on opportunities.opportunity_id = openings.opportunity_id

),

entries as (

    {%- for metric, from_column, to_column in [
        ("rate_lead_mql", "created_at", "first_mql_at"),
        ("rate_mql_sal", "first_mql_at", "first_sal_at"),
        ("rate_sal_sql", "first_sal_at", "first_sql_at"),
        ("rate_sql_opportunity", "first_sql_at", "first_opportunity_at"),
    ] %}

    select
        '{{ metric }}' as metric,
        leads.feed,
        'lead' as entity,
        leads.campaign_key,
        leads.cohort_start_date,
        leads.{{ from_column }} as entered_at,
        leads.{{ to_column }} as converted_at,
        case when stages.kind = 'exit' then leads.stage_entered_at end as left_at
    from leads
    inner join stages on leads.stage = stages.stage
    where leads.{{ from_column }} is not null

    union all
    {%- endfor %}

    select
        'rate_opportunity_won' as metric,
        opportunities.feed,
        'opportunity' as entity,
        opportunities.campaign_key,
        {{ cohort_start(
            "opportunities.opened_date", "run_parameter.cohort_period", "campaigns.started_on"
        ) }} as cohort_start_date,
        opportunities.opened_at as entered_at,
        opportunities.won_at as converted_at,
        case when stages.kind = 'exit' then opportunities.stage_entered_at end as left_at
    from opened as opportunities
    cross join run_parameter
    inner join campaigns on opportunities.campaign_key = campaigns.campaign_key
    left join calendar_days on opportunities.opened_date = calendar_days.day
    left join stages on opportunities.stage = stages.stage
    where opportunities.opened_at is not null

),

dated_entries as (

    select
        entries.*,
        run_parameter.time_zone,
        least(coalesce(feeds.complete_until, run_parameter.as_of), run_parameter.as_of)
            as complete_until,
        coalesce(feeds.is_late, false) as is_late,
        {{ calendar_date("entries.entered_at", "run_parameter.time_zone") }} as entered_date
    from entries
    cross join run_parameter
    left join calendar_days on cast(entries.entered_at as date) = calendar_days.day
    left join feeds
        on
            entries.feed = feeds.feed
            and entries.entity = feeds.entity

),

cohort_entries as (

    select
        streams.cohort_number,
        streams.version,
        dated_entries.entered_at,
        dated_entries.converted_at,
        dated_entries.left_at,
        dated_entries.complete_until,
        dated_entries.is_late,
        dated_entries.time_zone,
        commitments.rate is not null as is_committed,
        coalesce(commitments.rate, streams.rate) as rate,
        {{ add_days(
            "dated_entries.entered_date",
            "coalesce(commitments.window_days, streams.window_days) + 1",
        ) }} as first_day_after
    from dated_entries
    inner join members on dated_entries.campaign_key = members.campaign_key
    inner join streams
        on
            members.version = streams.version
            and members.scope = streams.scope
            and dated_entries.metric = streams.metric
            and dated_entries.entered_date >= streams.judged_from
            and dated_entries.entered_date < streams.judged_to
    left join commitments
        on
            members.scope = commitments.scope
            and dated_entries.metric = commitments.metric
            and dated_entries.cohort_start_date = commitments.cohort_start_date
    where coalesce(commitments.rate, streams.rate) is not null

),

-- A window of days ends with the last of them.
with_window as (

    select
        cohort_entries.*,
        case
            when cohort_entries.first_day_after is not null
                then coalesce(
                    calendar_days.starts_at,
                    {{ local_to_utc(
                        "cast(cohort_entries.first_day_after as timestamp)",
                        "cohort_entries.time_zone",
                    ) }}
                )
        end as window_ends_at
    from cohort_entries
    left join calendar_days on cohort_entries.first_day_after = calendar_days.day

),

-- Who came back from an exit and converted within the window has converted. Who converted after it
-- failed with its end, however late the feed is.
with_outcome as (

    select
        *,
        converted_at is not null
        and (window_ends_at is null or converted_at < window_ends_at) as is_converted,
        case
            when window_ends_at <= greatest(complete_until, converted_at) then window_ends_at
        end as window_ended_at
    from with_window

),

-- `least` and `greatest` leave out what is unknown.
settled as (

    select
        *,
        case
            when is_converted then converted_at
            else least(left_at, window_ended_at)
        end as settled_at
    from with_outcome

),

final as (

    select
        -- ids
        cohort_number,
        version,
        -- numbers
        rate,
        -- booleans
        is_committed,
        is_converted,
        is_late and settled_at is null as is_awaited_late,
        -- times
        entered_at,
        settled_at
    from settled

)

select * from final
