-- What each opportunity was between two instants, from its creation to now, in its own currency.
-- Grain: opportunity_id, version_number.
-- Created where that is known, else first heard of. What an event does not say is as it was. Before
-- the first amount, owner or close date that an event states they are unknown; if no event ever
-- states one, that of today counts throughout, and a currency is that of today until one is stated.
-- The first event on the day of creation says what the opportunity was created as.
-- The last event is taken to have left the opportunity as its row says it is today: an edit without
-- an event is dated there, and marked. `stated_…` is what the events themselves say.
-- A deal is open until it stands in a stage that is final or an exit; in an unknown stage it is.

with

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

changes as (

    select * from {{ ref("int_opportunity__change") }}

),

stages as (

    select * from {{ ref("stages") }}

),

days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

outcomes as (

    select
        stage,
        case
            when stage = 'won' then 'won'
            when is_terminal or kind = 'exit' then 'lost'
            else 'open'
        end as outcome
    from stages

),

opened as (

    select
        opportunities.opportunity_id,
        opportunities.created_at is null as is_time_estimated,
        coalesce(
            opportunities.created_at,
            changes.entered_at,
            least(
                coalesce(opportunities.stage_at, opportunities._loaded_at),
                run_parameter.as_of
            )
        ) as opened_at,
        changes.entered_at as first_change_at,
        outcomes.outcome as first_outcome,
        changes.stage as first_stage,
        changes.stage_ordinal as first_stage_ordinal,
        changes.amount as first_amount,
        changes.currency as first_currency,
        changes.owner as first_owner,
        changes.close_date as first_close_date,
        run_parameter.time_zone
    from opportunities
    cross join run_parameter
    left join changes
        on
            opportunities.opportunity_id = changes.opportunity_id
            and changes.change_number = 1
    left join outcomes on changes.stage = outcomes.stage

),

-- Only those of which something is heard later, or nothing at all.
creations as (

    select
        *,
        coalesce(
            {{ local_date("opened_at", "time_zone") }}
            = {{ local_date("first_change_at", "time_zone") }},
            false
        ) as is_described
    from opened
    where
        first_change_at is null
        or opened_at < first_change_at

),

timeline as (

    select
        opportunity_id,
        cast(0 as bigint) as change_number,
        false as is_event,
        case when is_described and coalesce(first_outcome, 'open') = 'open' then first_stage end
            as stage,
        case
            when is_described and coalesce(first_outcome, 'open') = 'open' then first_stage_ordinal
        end as stage_ordinal,
        case when is_described then first_amount end as amount,
        case when is_described then first_currency end as currency,
        case when is_described then first_owner end as owner,
        case when is_described then first_close_date end as close_date,
        is_time_estimated,
        opened_at as entered_at
    from creations

    union all

    select
        opportunity_id,
        change_number,
        origin = 'opportunity_event' as is_event,
        stage,
        stage_ordinal,
        amount,
        currency,
        owner,
        close_date,
        is_time_estimated,
        entered_at
    from changes

),

dated as (

    select
        timeline.*,
        {{ calendar_date("timeline.entered_at", "run_parameter.time_zone", "days") }}
            as entered_date
    from timeline
    cross join run_parameter
    left join days on cast(timeline.entered_at as date) = days.day

),

known as (

    select
        opportunity_id,
        change_number,
        is_time_estimated,
        entered_at,
        entered_date,
        {%- for column in ["stage", "stage_ordinal", "amount", "currency", "owner", "close_date"] %}
        {{ last_known(column) }} over (
            partition by opportunity_id
            order by change_number
        ) as {{ column }},
        {%- endfor %}
        {%- for column in ["amount", "owner", "close_date"] %}
        count(case when is_event then {{ column }} end) over (partition by opportunity_id) > 0
            as has_{{ column }}_events,
        {%- endfor %}
        lead(change_number) over (
            partition by opportunity_id
            order by change_number
        ) is null as is_last
    from dated

),

stated as (

    select
        known.opportunity_id,
        known.change_number,
        known.is_last,
        known.is_time_estimated,
        known.entered_at,
        known.entered_date,
        known.stage,
        known.stage_ordinal,
        {%- for column in ["amount", "owner", "close_date"] %}
        case
            when known.has_{{ column }}_events then known.{{ column }}
            else opportunities.{{ column }}
        end as stated_{{ column }},
        opportunities.{{ column }} as today_{{ column }},
        {%- endfor %}
        coalesce(known.currency, opportunities.currency) as stated_currency,
        opportunities.currency as today_currency
    from known
    inner join opportunities on known.opportunity_id = opportunities.opportunity_id

),

as_it_was as (

    select
        stated.*,
        {%- for column in ["amount", "currency", "owner", "close_date"] %}
        case when stated.is_last then stated.today_{{ column }} else stated.stated_{{ column }} end
            as {{ column }},
        {%- endfor %}
        coalesce(outcomes.outcome, 'open') as outcome
    from stated
    left join outcomes on stated.stage = outcomes.stage

),

beside_before as (

    select
        *,
        is_last
        and (
            today_amount is distinct from stated_amount
            or today_currency is distinct from stated_currency
            or today_owner is distinct from stated_owner
            or today_close_date is distinct from stated_close_date
        ) as is_edited,
        {%- for column in ["stage", "amount", "currency", "owner", "close_date"] %}
        lag({{ column }}) over (
            partition by opportunity_id
            order by change_number
        ) as previous_{{ column }},
        {%- endfor %}
        lag(change_number) over (
            partition by opportunity_id
            order by change_number
        ) as previous_change_number
    from as_it_was

),

compared as (

    select
        *,
        stage is not null and (stage is distinct from previous_stage) as is_stage_entry,
        previous_change_number is null
        {%- for column in ["stage", "amount", "currency", "owner", "close_date"] %}
        or ({{ column }} is distinct from previous_{{ column }})
        {%- endfor %} as is_version
    from beside_before

),

numbered as (

    select
        *,
        count(case when is_stage_entry then 1 end) over (
            partition by opportunity_id
            order by change_number
        ) as stage_entry_number,
        max(case when is_stage_entry then entered_date end) over (
            partition by opportunity_id
            order by change_number
        ) as stage_entered_date,
        min(entered_date) over (partition by opportunity_id) as opened_date
    from compared

),

final as (

    select
        -- ids
        opportunity_id,
        row_number() over (
            partition by opportunity_id
            order by change_number
        ) as version_number,
        -- text
        stage,
        outcome,
        owner,
        currency,
        stated_currency,
        -- numbers
        stage_ordinal,
        stage_entry_number,
        amount,
        stated_amount,
        -- booleans
        is_stage_entry,
        is_time_estimated or is_edited as is_estimated,
        -- times
        close_date,
        opened_date,
        case when outcome <> 'open' then stage_entered_date end as closed_date,
        entered_date as valid_from_date,
        entered_at as valid_from,
        lead(entered_at) over (
            partition by opportunity_id
            order by change_number
        ) as valid_to
    from numbered
    where is_version

)

select * from final
