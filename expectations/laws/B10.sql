/*
id: B10
title: Keys are unique and references resolve
meaning: >
  Each lead, deal, campaign and journal entry stands in the published tables once, and whatever
  one row says about another (this event belongs to that lead) can be found. A key that stands
  twice counts its money twice; a reference into nothing loses it from every breakdown.
severity: block
unit: rows
forgivable: true
waivable: false
owner: Revenue operations, who own the CRM's exports
what_to_do: >
  An unresolved reference usually means that two exports were taken at different times: export the
  tables named in the rows together. Records deleted in the CRM can be accepted by number, with a
  reason, under `tolerances: laws: B10:` of the feed. Spend that two feeds deliver counts twice:
  leave it out of one of them (`exclude` in sources.yml, with the reason), or name the ad account in
  both if they are two accounts. A duplicate key in a published table is a fault in the models.
*/

-- query: applies
select cast(null as varchar) as reason
where false;

-- query: measure
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        (select count(*) from main.dim_stage)
        + (select count(*) from main.dim_campaign)
        + (select count(*) from main.fct_spend__campaign_daily)
        + (select count(*) from main.fct_lead)
        + (select count(*) from main.fct_opportunity)
        + (select count(*) from main.fct_dollar_journal__entry) as checked

)

select * from final;

-- query: offenders
with

duplicates as (

    select
        'dim_stage' as table_name,
        'stage' as key,
        stage as value,
        count(*) as rows
    from main.dim_stage
    group by stage
    having count(*) > 1 or stage is null

    union all

    select
        'dim_campaign' as table_name,
        'campaign_key' as key,
        campaign_key as value,
        count(*) as rows
    from main.dim_campaign
    group by campaign_key
    having count(*) > 1 or campaign_key is null

    union all

    select
        'fct_lead' as table_name,
        'lead_id' as key,
        lead_id as value,
        count(*) as rows
    from main.fct_lead
    group by lead_id
    having count(*) > 1 or lead_id is null

    union all

    select
        'fct_opportunity' as table_name,
        'opportunity_id' as key,
        opportunity_id as value,
        count(*) as rows
    from main.fct_opportunity
    group by opportunity_id
    having count(*) > 1 or opportunity_id is null

    union all

    select
        'fct_dollar_journal__entry' as table_name,
        'entry_id' as key,
        entry_id as value,
        count(*) as rows
    from main.fct_dollar_journal__entry
    group by entry_id
    having count(*) > 1 or entry_id is null

    union all

    select
        'fct_pipeline_journal__entry' as table_name,
        'entry_id' as key,
        entry_id as value,
        count(*) as rows
    from main.fct_pipeline_journal__entry
    group by entry_id
    having count(*) > 1 or entry_id is null

    union all

    select
        'fct_spend__campaign_daily' as table_name,
        'feed, source, account, campaign_key, spend_date, currency, kind' as key,
        concat_ws(', ', feed, source, account, campaign_key, spend_date, currency, kind) as value,
        count(*) as rows
    from main.fct_spend__campaign_daily
    group by feed, source, account, campaign_key, spend_date, currency, kind
    having count(*) > 1

    union all

    select
        'rpt_stage_balance__campaign_cohort' as table_name,
        'campaign_key, cohort_start_date, stage' as key,
        concat_ws(', ', campaign_key, cohort_start_date, stage) as value,
        count(*) as rows
    from main.rpt_stage_balance__campaign_cohort
    group by campaign_key, cohort_start_date, stage
    having count(*) > 1

),

campaign_references as (

    select
        'fct_spend__campaign_daily' as table_name,
        campaign_key as value,
        count(*) as rows
    from main.fct_spend__campaign_daily
    group by campaign_key

    union all

    select
        'fct_lead' as table_name,
        campaign_key as value,
        count(*) as rows
    from main.fct_lead
    group by campaign_key

    union all

    select
        'fct_dollar_journal__entry' as table_name,
        campaign_key as value,
        count(*) as rows
    from main.fct_dollar_journal__entry
    group by campaign_key

),

stage_references as (

    select
        'fct_lead' as table_name,
        stage as value,
        count(*) as rows
    from main.fct_lead
    group by stage

    union all

    select
        'fct_dollar_journal__entry' as table_name,
        to_stage as value,
        count(*) as rows
    from main.fct_dollar_journal__entry
    group by to_stage

    union all

    select
        'fct_dollar_journal__entry' as table_name,
        from_stage as value,
        count(*) as rows
    from main.fct_dollar_journal__entry
    where from_stage <> 'funding'
    group by from_stage

),

unresolved as (

    select
        campaign_references.table_name,
        'campaign_key' as key,
        campaign_references.value,
        campaign_references.rows
    from campaign_references
    anti join main.dim_campaign on campaign_references.value = dim_campaign.campaign_key

    union all

    select
        stage_references.table_name,
        'stage' as key,
        stage_references.value,
        stage_references.rows
    from stage_references
    anti join main.dim_stage on stage_references.value = dim_stage.stage

    union all

    select
        'fct_dollar_journal__entry' as table_name,
        'lead_id' as key,
        entries.lead_id as value,
        count(*) as rows
    from main.fct_dollar_journal__entry as entries
    anti join main.fct_lead on entries.lead_id = fct_lead.lead_id
    where entries.lead_id is not null
    group by entries.lead_id

),

-- The same cost by API and as a file would count twice, and nobody's total would notice: each feed
-- ties out with itself. Overheads have no key that could tell two of them apart.
delivered_twice as (

    select
        max(feed) as feed,
        'the same day of spend is delivered by ' || string_agg(feed, ' and ' order by feed)
            as problem,
        'fct_spend__campaign_daily' as table_name,
        'source, account, campaign_key, spend_date, currency, kind' as key,
        concat_ws(', ', source, account, campaign_key, spend_date, currency, kind) as value,
        count(*) as rows
    from main.fct_spend__campaign_daily
    where kind <> 'overhead' and cost_minor <> 0
    group by source, account, campaign_key, spend_date, currency, kind
    having count(distinct feed) > 1

),

problems as (

    select
        feed,
        problem,
        table_name,
        key,
        reference as value,
        rows
    from audit.reference

    union all

    select
        cast(null as varchar) as feed,
        'duplicate key' as problem,
        *
    from duplicates

    union all

    select
        cast(null as varchar) as feed,
        'unresolved reference' as problem,
        *
    from unresolved

    union all

    select * from delivered_twice

),

final as (

    select *
    from problems

)

select * from final;
