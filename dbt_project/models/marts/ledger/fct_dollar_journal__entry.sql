-- The dollar journal: every move of every cent of spend from one stage to another (double entry).
-- Grain: entry. Amounts are in the reporting currency; a stage's balance is what came in less what
-- went out; over all stages, funding included, the sum is zero by construction.
-- Kinds: spend, restatement and overhead leave funding; allocation hands a cohort's spend to its
-- leads; move follows a lead's stage; restated_share hands a later restatement to the leads where
-- they stand; no_lead is spend whose window passed without a lead.

with

postings as (

    select * from {{ ref("int_spend__posting") }}

),

totals as (

    select * from {{ ref("int_cohort__total") }}

),

shares as (

    select * from {{ ref("int_lead__share") }}

),

intervals as (

    select * from {{ ref("int_lead__stage_interval") }}

),

spend_entries as (

    select
        'spend|' || feed || '|' || stream || '|' || source || '|' || account || '|' || campaign_key
        || '|' || cast(spend_date as varchar) || '|' || currency || '|' || kind
        || '|' || cast(version_number as varchar) as entry_id,
        occurred_at,
        known_at as posted_at,
        campaign_key,
        cohort_start_date,
        cast(null as varchar) as lead_id,
        'funding' as from_stage,
        case when is_overhead then 'overhead' else 'in_market' end as to_stage,
        delta_amount_minor as amount_minor,
        case
            when version_number > 1 then 'restatement'
            when is_overhead then 'overhead'
            else 'spend'
        end as kind,
        is_provisional
    from postings
    where delta_amount_minor <> 0

),

allocations as (

    select
        'allocation|' || lead_id as entry_id,
        created_at as occurred_at,
        created_at as posted_at,
        campaign_key,
        cohort_start_date,
        lead_id,
        'in_market' as from_stage,
        'lead' as to_stage,
        share_minor as amount_minor,
        'allocation' as kind,
        is_provisional
    from shares
    where total_number = 0

),

moves as (

    select
        'move|' || intervals.lead_id || '|' || cast(intervals.entry_number as varchar) as entry_id,
        intervals.entered_at as occurred_at,
        intervals.entered_at as posted_at,
        shares.campaign_key,
        shares.cohort_start_date,
        intervals.lead_id,
        intervals.from_stage,
        intervals.stage as to_stage,
        shares.share_minor as amount_minor,
        'move' as kind,
        shares.is_provisional
    from intervals
    inner join shares
        on
            intervals.lead_id = shares.lead_id
            and intervals.entered_at > shares.known_from
            and intervals.entered_at <= shares.known_to
    where intervals.from_stage is not null

),

restated_shares as (

    select
        'restated_share|' || shares.lead_id || '|' || cast(shares.total_number as varchar)
            as entry_id,
        shares.known_from as occurred_at,
        shares.known_from as posted_at,
        shares.campaign_key,
        shares.cohort_start_date,
        shares.lead_id,
        'in_market' as from_stage,
        intervals.stage as to_stage,
        shares.share_minor - shares.previous_share_minor as amount_minor,
        'restated_share' as kind,
        shares.is_provisional
    from shares
    inner join intervals
        on
            shares.lead_id = intervals.lead_id
            and shares.known_from >= intervals.entered_at
            and (intervals.left_at is null or shares.known_from < intervals.left_at)
    where
        shares.total_number > 0
        and shares.share_minor <> shares.previous_share_minor

),

waste as (

    select
        'no_lead|' || campaign_key || '|' || cast(cohort_start_date as varchar)
        || '|' || cast(total_number as varchar) as entry_id,
        case when known_from > no_lead_at then known_from else no_lead_at end as occurred_at,
        case when known_from > no_lead_at then known_from else no_lead_at end as posted_at,
        campaign_key,
        cohort_start_date,
        cast(null as varchar) as lead_id,
        'in_market' as from_stage,
        'no_lead' as to_stage,
        total_minor - previous_total_minor as amount_minor,
        'no_lead' as kind,
        is_provisional
    from totals
    where leads = 0 and is_window_over

),

final as (

    select * from spend_entries

    union all

    select * from allocations
    where amount_minor <> 0

    union all

    select * from moves
    where amount_minor <> 0

    union all

    select * from restated_shares
    where amount_minor <> 0

    union all

    select * from waste
    where amount_minor <> 0

)

select * from final
