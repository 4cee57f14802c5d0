/*
id: B8
title: Stages follow time
meaning: >
  Nothing happens to a lead or a deal before it exists, nothing ends before it began, and nothing
  is dated in the future. As a cohort goes down the funnel it can only get smaller. Conversion
  rates and days in stage mean nothing where this is broken.
severity: block
unit: rows
forgivable: true
waivable: true
owner: Sales operations, who own the CRM's histories
what_to_do: >
  Correct the dates in the CRM where they were typed or imported wrongly. If the whole file is
  hours off, the time zone declared for that column in sources.yml is wrong. What cannot be
  corrected can be accepted by number, with a reason, under `tolerances: laws: B8:` of the feed.
*/

-- query: applies
with

people_kept as (

    select coalesce(sum(kept_rows), 0) as kept_rows
    from audit.row
    where table_name in ('leads', 'opportunities')

),

final as (

    select 'no lead or opportunity source' as reason
    from people_kept
    where kept_rows = 0

)

select * from final;

-- query: measure
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        (select count(*) from main.fct_lead_stage__interval)
        + (select count(*) from main.fct_opportunity_stage__interval) as checked

)

select * from final;

-- query: offenders
with

-- Times as the sources state them; the models have already put them right in the books.
stated as (

    select
        feed,
        case problem
            when 'before_creation' then 'dated before it was created'
            when 'future' then 'dated in the future'
            when 'negative_duration' then 'ended before it began'
            else problem
        end as problem,
        entity,
        entity_id,
        raw_status as stage,
        created_at as earlier_at,
        occurred_at as later_at,
        _file as file,
        _line as line
    from audit.stage_time

),

-- Times as the books hold them.
lead_intervals as (

    select
        case
            when intervals.left_at < intervals.entered_at then 'ended before it began'
            else 'dated in the future'
        end as problem,
        'lead' as entity,
        intervals.lead_id as entity_id,
        intervals.stage,
        intervals.entered_at as earlier_at,
        intervals.left_at as later_at
    from main.fct_lead_stage__interval as intervals
    cross join audit.run
    where
        intervals.left_at < intervals.entered_at
        or intervals.entered_at > run.as_of
        or intervals.left_at > run.as_of

),

opportunity_intervals as (

    select
        case
            when intervals.left_at < intervals.entered_at then 'ended before it began'
            else 'dated in the future'
        end as problem,
        'opportunity' as entity,
        intervals.opportunity_id as entity_id,
        intervals.stage,
        intervals.entered_at as earlier_at,
        intervals.left_at as later_at
    from main.fct_opportunity_stage__interval as intervals
    cross join audit.run
    where
        intervals.left_at < intervals.entered_at
        or intervals.entered_at > run.as_of
        or intervals.left_at > run.as_of

),

-- 'Reached' includes stages that were skipped, so a lead reaches them in their order.
out_of_order as (

    select
        'reached a stage before the one above it' as problem,
        'lead' as entity,
        lead_id as entity_id,
        stage,
        created_at as earlier_at,
        least(first_mql_at, first_sal_at, first_sql_at, first_opportunity_at, first_won_at)
            as later_at
    from main.fct_lead
    where
        coalesce(first_mql_at < created_at, false)
        or coalesce(first_sal_at < first_mql_at, false)
        or coalesce(first_sql_at < first_sal_at, false)
        or coalesce(first_opportunity_at < first_sql_at, false)
        or coalesce(first_won_at < first_opportunity_at, false)

),

reached as (

    select
        campaign_key,
        cohort_start_date,
        count(*) as leads,
        count(first_mql_at) as mqls,
        count(first_sal_at) as sals,
        count(first_sql_at) as sqls,
        count(first_opportunity_at) as opportunities,
        count(first_won_at) as wons
    from main.fct_lead
    group by campaign_key, cohort_start_date

),

widening as (

    select
        'more leads reached a stage than the one above it: ' || leads || ' > ' || mqls || ' > '
        || sals || ' > ' || sqls || ' > ' || opportunities || ' > ' || wons as problem,
        'cohort' as entity,
        campaign_key || ' from ' || cast(cohort_start_date as varchar) as entity_id,
        cast(null as varchar) as stage,
        cast(null as timestamp) as earlier_at,
        cast(null as timestamp) as later_at
    from reached
    where
        mqls > leads
        or sals > mqls
        or sqls > sals
        or opportunities > sqls
        or wons > opportunities

),

-- Every lead has been a lead: a history table that was emptied must not pass.
counts as (

    select
        (select count(*) from main.fct_lead) as leads,
        (select count(*) from main.fct_lead_stage__interval) as intervals

),

without_history as (

    select
        'there are fewer stage intervals (' || intervals || ') than leads (' || leads || ')'
            as problem,
        'table' as entity,
        'fct_lead_stage__interval' as entity_id,
        cast(null as varchar) as stage,
        cast(null as timestamp) as earlier_at,
        cast(null as timestamp) as later_at
    from counts
    where intervals < leads

),

in_the_books as (

    select * from lead_intervals

    union all

    select * from opportunity_intervals

    union all

    select * from out_of_order

    union all

    select * from widening

    union all

    select * from without_history

),

final as (

    select * from stated

    union all

    select
        cast(null as varchar) as feed,
        *,
        cast(null as varchar) as file,
        cast(null as bigint) as line
    from in_the_books

)

select * from final;
