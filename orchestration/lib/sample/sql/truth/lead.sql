-- One row per lead the CRM holds, with what became of it by as_of.
select
    lead_name(i) as lead_id,
    if(kind in ('test', 'staff', 'bot', 'competitor'), 'excluded', kind) as disposition,
    case kind
        when 'test' then 'test record'
        when 'staff' then 'excluded domain'
        when 'bot' then 'bots'
        when 'competitor' then 'competitors'
        when 'merged' then 'merged into another lead'
    end as reason,
    if(kind = 'merged', lead_name(person_i), null) as survivor_lead_id,
    lead_name(person_i) as person,
    copies as raw_rows,
    campaign_key,
    month,
    at_second(created_s) as created_at,
    reached >= 2 as is_mql,
    reached >= 3 as is_accepted,
    reached >= 4 as is_sql,
    reached >= 5 as is_opportunity,
    reached >= 8 as is_won,
    getvariable('stage_names')[last_step] as final_stage,
    eventually >= 2 as will_be_mql,
    eventually >= 4 as will_be_sql,
    eventually >= 8 as will_be_won,
    opportunity_id,
from lead_truth
order by lead_id
