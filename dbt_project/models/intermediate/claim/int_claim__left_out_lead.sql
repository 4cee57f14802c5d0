-- The leads that are not in the books and that a department may count all the same, by the reason
-- for which they were left out.
-- Grain: landed row (_feed, _load, _line).
-- An id that was loaded again is a duplicate; if the row that stands for it is left out itself,
-- that is its second reason. Leads created after as_of are nobody's.

with

leads as (

    select * from {{ ref("stg_landed__lead") }}

),

left_out as (

    select * from {{ ref("int_lead__left_out") }}

),

matches as (

    select * from {{ ref("int_campaign__match") }}
    where entity = 'lead'

),

opportunity_starts as (

    select
        opportunity_id,
        entered_at
    from {{ ref("int_opportunity__stage_interval") }}
    where entry_number = 1

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

with_reason as (

    select
        *,
        case
            when reason in ('same id loaded again', 'same id in another feed') then 'duplicate'
            when reason in ('merged into another lead', 'merged in a circle') then 'merged'
            when reason = 'test record' then 'test_record'
            when reason like 'rule: %' then 'left_out_by_rule'
            when reason = 'excluded e-mail domain' then 'excluded_domain'
            when reason = 'created after as_of' then 'future'
            else 'other'
        end as left_out_reason
    from left_out

),

-- Of the rows of one id at most one is no duplicate: the one that stands for it.
standing as (

    select
        lead_id,
        min(left_out_reason) as left_out_reason
    from with_reason
    where left_out_reason <> 'duplicate'
    group by lead_id

),

final as (

    select
        leads._feed,
        leads._load,
        leads._line,
        case
            when with_reason.left_out_reason = 'duplicate'
                then {{ row_of_record("leads", "lead_id") }}
            else leads.lead_id
        end as record_id,
        leads.lead_id,
        matches.campaign_key,
        with_reason.left_out_reason,
        case when with_reason.left_out_reason = 'duplicate' then standing.left_out_reason end
            as second_reason,
        leads.status as raw_status,
        leads.score,
        coalesce(leads.is_test, false) as is_test,
        leads.status_at,
        leads.created_at,
        {{ local_date("leads.created_at", "run_parameter.time_zone") }} as created_date,
        leads.converted_opportunity_id,
        case
            when opportunity_starts.entered_at is not null
                then greatest(opportunity_starts.entered_at, leads.created_at)
        end as opportunity_from,
        leads._loaded_at
    from leads
    cross join run_parameter
    inner join with_reason
        on
            leads._feed = with_reason._feed
            and leads._load = with_reason._load
            and leads._line = with_reason._line
    inner join matches
        on
            coalesce(leads.source, leads.utm_source) is not distinct from matches.source
            and coalesce(leads.campaign, leads.utm_campaign) is not distinct from matches.campaign
            and leads.created_at >= matches.valid_from_at
            and leads.created_at < matches.valid_to_at
    left join standing on leads.lead_id = standing.lead_id
    left join opportunity_starts
        on leads.converted_opportunity_id = opportunity_starts.opportunity_id
    where
        with_reason.left_out_reason <> 'future'
        and coalesce(standing.left_out_reason, '') <> 'future'

)

select * from final
