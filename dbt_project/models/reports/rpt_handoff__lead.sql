-- Each lead's trail from its creation to what became of it, with the dollars it carries.
-- Grain: lead_id; every lead in the books. Hours of one lead do not add up over stages it skipped.
-- The handoff is the entry into mql that counts by the plan (the latest of them; without a plan the
-- first). A lead that never entered mql itself, or that Sales entered, was not handed over. What
-- decided it is the stage that followed. The first response is the first change after the handoff
-- that left mql, other than by expiry, or that somebody else made. Sources say who owns a lead
-- today and not since when: it is assigned when its owner first shows in a change. Hours are
-- business hours and hours by the clock; those of who stands there still run to as_of. Amounts add
-- up over leads to what the dollar journal has posted to them.

with

leads as (

    select * from {{ ref("fct_lead") }}

),

origins as (

    select * from {{ ref("int_handoff__origin") }}

),

intervals as (

    select * from {{ ref("int_lead__stage_interval") }}

),

timed_intervals as (

    select * from {{ ref("int_handoff__interval") }}

),

counted_entries as (

    select * from {{ ref("int_kpi__lead_entry") }}
    where
        stage = 'mql'
        and not is_skipped

),

changes as (

    select * from {{ ref("int_lead__change") }}
    where is_counted

),

plan_owners as (

    select * from {{ ref("int_handoff__owner") }}

),

settings as (

    select * from {{ ref("int_plan__kpi_setting") }}
    where
        scope = 'company'
        and metric = 'rate_mql_sal'

),

journal as (

    select * from {{ ref("fct_dollar_journal__entry") }}
    where kind in ('allocation', 'restated_share')

),

stages as (

    select * from {{ ref("stages") }}

),

-- The latest entry into mql that counts, and the first of all.
mql_entries as (

    select
        intervals.lead_id,
        count(*) as mql_entries,
        min(intervals.entry_number) as first_number,
        max(counted_entries.entry_number) as counted_number
    from intervals
    left join counted_entries
        on
            intervals.lead_id = counted_entries.lead_id
            and intervals.entry_number = counted_entries.entry_number
    where intervals.stage = 'mql'
    group by intervals.lead_id

),

handoffs as (

    select
        mql_entries.lead_id,
        mql_entries.mql_entries,
        mql_entries.counted_number is not null as is_counted,
        timed_intervals.version,
        timed_intervals.entry_number,
        timed_intervals.entered_at as handed_over_at,
        timed_intervals.entered_date as handed_over_date,
        timed_intervals.left_at as decided_at,
        timed_intervals.elapsed_seconds,
        timed_intervals.business_seconds,
        handing.actor as handed_over_by,
        following.actor as decided_by,
        following.reason,
        case
            when following.stage is null then 'waiting'
            when stages.kind = 'exit' then following.stage
            when following.stage = 'lead' then 'returned'
            else 'accepted'
        end as outcome
    from mql_entries
    inner join timed_intervals
        on
            mql_entries.lead_id = timed_intervals.lead_id
            and coalesce(mql_entries.counted_number, mql_entries.first_number)
            = timed_intervals.entry_number
    inner join intervals as handing
        on
            timed_intervals.lead_id = handing.lead_id
            and timed_intervals.entry_number = handing.entry_number
    left join intervals as following
        on
            timed_intervals.lead_id = following.lead_id
            and timed_intervals.entry_number + 1 = following.entry_number
    left join stages on following.stage = stages.stage

),

responses as (

    select
        handoffs.lead_id,
        min(changes.entered_at) as first_response_at
    from handoffs
    inner join changes
        on
            handoffs.lead_id = changes.lead_id
            and handoffs.handed_over_at <= changes.entered_at
            and changes.stage <> 'expired'
            and (
                (changes.stage <> 'mql' and handoffs.decided_at <= changes.entered_at)
                or (
                    changes.stage = 'mql'
                    and handoffs.handed_over_by <> changes.actor
                    and handoffs.handed_over_at < changes.entered_at
                )
            )
    where handoffs.outcome <> 'expired' or changes.entered_at < handoffs.decided_at
    group by handoffs.lead_id

),

assigned as (

    select
        leads.lead_id,
        min(changes.entered_at) as assigned_at
    from leads
    inner join changes
        on
            leads.lead_id = changes.lead_id
            and leads.owner = changes.actor
    group by leads.lead_id

),

hours as (

    select
        lead_id,
        {%- for stage in ["lead", "mql", "sal", "sql"] %}
        {{ exact_sum("case when stage = '" ~ stage ~ "' then elapsed_seconds end") }}
            as {{ stage }}_seconds,
        {{ exact_sum("case when stage = '" ~ stage ~ "' then business_seconds end") }}
            as {{ stage }}_business_seconds,
        {%- endfor %}
        count(*) as entries
    from timed_intervals
    group by lead_id

),

dollars as (

    select
        lead_id,
        {{ exact_sum("amount_minor") }} as amount_minor
    from journal
    group by lead_id

),

joined as (

    select
        leads.*,
        origins.is_sales_entered,
        origins.is_bulk_created,
        origins.is_backdated,
        origins.is_timed,
        handoffs.version,
        handoffs.entry_number,
        handoffs.handed_over_at,
        handoffs.handed_over_date,
        handoffs.decided_at,
        handoffs.handed_over_by,
        handoffs.decided_by,
        handoffs.reason,
        handoffs.outcome,
        handoffs.lead_id is not null and not origins.is_sales_entered as is_handed_over,
        coalesce(handoffs.is_counted, false) as is_counted,
        handoffs.elapsed_seconds,
        handoffs.business_seconds,
        coalesce(handoffs.business_seconds, handoffs.elapsed_seconds) as clock_seconds,
        responses.first_response_at,
        assigned.assigned_at,
        plan_owners.marketing_owner,
        plan_owners.handoff_owner,
        settings.sla_hours,
        hours.lead_seconds,
        hours.lead_business_seconds,
        hours.mql_seconds,
        hours.mql_business_seconds,
        hours.sal_seconds,
        hours.sal_business_seconds,
        hours.sql_seconds,
        hours.sql_business_seconds,
        coalesce(dollars.amount_minor, 0) as carried_minor
    from leads
    inner join origins on leads.lead_id = origins.lead_id
    left join handoffs on leads.lead_id = handoffs.lead_id
    left join responses on leads.lead_id = responses.lead_id
    left join assigned on leads.lead_id = assigned.lead_id
    left join plan_owners
        on
            handoffs.version = plan_owners.version
            and leads.campaign_key = plan_owners.campaign_key
    left join settings on handoffs.version = settings.version
    left join hours on leads.lead_id = hours.lead_id
    left join dollars on leads.lead_id = dollars.lead_id

),

final as (

    select
        -- ids
        lead_id,
        person_key,
        campaign_key,
        converted_opportunity_id,
        version as plan_version,
        -- text
        stage,
        case when is_handed_over then outcome end as outcome,
        case when is_handed_over then reason end as reason,
        case when is_handed_over then handed_over_by end as handed_over_by,
        case when is_handed_over then decided_by end as decided_by,
        marketing_owner,
        owner as sales_owner,
        handoff_owner,
        case
            when not is_handed_over then null
            when business_seconds is null then 'elapsed'
            else 'business'
        end as clock,
        case
            when
                not is_handed_over or not is_timed or not is_counted or sla_hours is null
                then null
            when clock_seconds > sla_hours * 3600 then 'late'
            when decided_at is null then 'waiting'
            else 'in time'
        end as sla_status,
        -- numbers
        mql_entries,
        case when is_handed_over then entry_number end as handoff_entry_number,
        sla_hours,
        case when is_handed_over then {{ hours_of("elapsed_seconds") }} end as handoff_hours,
        case when is_handed_over then {{ hours_of("business_seconds") }} end
            as handoff_business_hours,
        case
            when is_handed_over
                then {{ hours_of(seconds_between("handed_over_at", "first_response_at")) }}
        end as response_hours,
        {%- for stage in ["lead", "mql", "sal", "sql"] %}
        {{ hours_of(stage ~ "_seconds") }} as {{ stage }}_hours,
        {{ hours_of(stage ~ "_business_seconds") }} as {{ stage }}_business_hours,
        {%- endfor %}
        carried_minor as amount_minor,
        -- booleans
        is_handed_over,
        is_sales_entered,
        is_bulk_created,
        is_backdated,
        is_handed_over and is_timed as is_timed,
        -- times
        cohort_start_date,
        created_at,
        assigned_at,
        case when is_handed_over then handed_over_at end as handed_over_at,
        case when is_handed_over then handed_over_date end as handed_over_date,
        case when is_handed_over then first_response_at end as first_response_at,
        case when is_handed_over then decided_at end as decided_at,
        stage_entered_at
    from joined

)

select * from final
