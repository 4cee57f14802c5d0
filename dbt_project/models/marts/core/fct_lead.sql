-- The leads in the books: where each came from, where it stands, and when it first got how far.
-- Grain: lead_id.
-- A stage that was skipped counts as reached: `first_sal_at` is the first entry into sal or any
-- later funnel stage. `mql_entries` and `latest_mql_at` count entries into mql itself.
-- Counts of leads add up over any column; `score` does not.

with

leads as (

    select * from {{ ref("int_lead") }}

),

intervals as (

    select * from {{ ref("int_lead__stage_interval") }}
    where entry_number > 1

),

claims as (

    select * from {{ ref("int_lead__change") }}
    where stage = 'mql'

),

stages as (

    select * from {{ ref("stages") }}

),

milestones as (

    select
        max(case when stage = 'mql' then ordinal end) as mql_ordinal,
        max(case when stage = 'sal' then ordinal end) as sal_ordinal,
        max(case when stage = 'sql' then ordinal end) as sql_ordinal,
        max(case when stage = 'opportunity' then ordinal end) as opportunity_ordinal,
        max(case when stage = 'won' then ordinal end) as won_ordinal
    from stages

),

-- The later in the funnel, the higher; an exit reaches nothing.
entries as (

    select
        intervals.lead_id,
        intervals.stage,
        intervals.entered_at,
        intervals.left_at,
        -- Of several rejections the last one; a reason that was not given is empty, not skipped.
        case when intervals.stage = 'rejected' then intervals.entry_number end as rejection_number,
        coalesce(intervals.reason, '') as reason,
        case when stages.kind = 'funnel' then stages.ordinal else 0 end as reached_ordinal
    from intervals
    inner join stages on intervals.stage = stages.stage

),

moved as (

    select
        entries.lead_id,
        max(case when entries.left_at is null then entries.stage end) as stage,
        max(case when entries.left_at is null then entries.entered_at end) as stage_entered_at,
        {%- for stage in ["mql", "sal", "sql", "opportunity", "won"] %}
        min(
            case
                when entries.reached_ordinal >= milestones.{{ stage }}_ordinal
                    then entries.entered_at
            end
        ) as first_{{ stage }}_at,
        {%- endfor %}
        max(case when entries.stage = 'mql' then entries.entered_at end) as latest_mql_at,
        sum(case when entries.stage = 'mql' then 1 else 0 end) as mql_entries,
        nullif(max_by(entries.reason, entries.rejection_number), '') as rejection_reason
    from entries
    cross join milestones
    group by entries.lead_id

),

-- One version is in force at an instant, so the first claim that holds names one.
claims_of_leads as (

    select
        lead_id,
        max(case when is_counted then 1 else 0 end) = 1 as is_qualified,
        min(case when is_counted then entered_at end) as qualified_at,
        nullif(
            min_by(
                coalesce(qualified_version, ''),
                case when is_counted then entered_at end
            ),
            ''
        ) as qualified_version
    from claims
    group by lead_id

),

final as (

    select
        -- ids
        leads.feed,
        leads.lead_id,
        leads.person_key,
        leads.contact_id,
        leads.converted_opportunity_id,
        -- text
        leads.source,
        leads.campaign_key,
        leads.owner,
        coalesce(moved.stage, 'lead') as stage,
        moved.rejection_reason,
        claims_of_leads.qualified_version,
        -- numbers
        leads.score,
        cast(coalesce(moved.mql_entries, 0) as bigint) as mql_entries,
        -- booleans
        coalesce(claims_of_leads.is_qualified, false) as is_qualified,
        coalesce(not claims_of_leads.is_qualified, false) as is_claimed_unqualified,
        -- times
        leads.created_at,
        leads.created_date,
        leads.cohort_start_date,
        coalesce(moved.stage_entered_at, leads.created_at) as stage_entered_at,
        moved.first_mql_at,
        moved.first_sal_at,
        moved.first_sql_at,
        moved.first_opportunity_at,
        moved.first_won_at,
        moved.latest_mql_at,
        claims_of_leads.qualified_at
    from leads
    left join moved on leads.lead_id = moved.lead_id
    left join claims_of_leads on leads.lead_id = claims_of_leads.lead_id

)

select * from final
