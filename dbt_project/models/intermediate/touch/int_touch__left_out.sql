-- The landed rows of touches that are not in the books, and why. All others are.
-- Grain: landed row (_feed, _load, _line).
-- Rules, the first that holds: an id loaded again (the newest load counts, then the line furthest
-- down); after as_of; its lead is excluded (a test record's touches are tests too; a lead that was
-- created after as_of excludes none); a rule of the company in force at that time. A touch of a
-- person whom nobody knows is in the books.

with

touches as (

    select * from {{ ref("stg_landed__touch") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

repeated_rows as (

    select * from {{ ref("int_touch__repeated") }}

),

left_out_leads as (

    select lead_id
    from {{ ref("int_lead__left_out") }}
    where disposition = 'excluded' and reason <> 'created after as_of'

),

rules as (

    select * from {{ ref("int_exclusion__row") }}
    where entity = 'touches' and preference = 1

),

final as (

    select
        touches._feed,
        touches._load,
        touches._file,
        touches._line,
        touches.touch_id,
        case when repeated_rows.reason is not null then 'merged' else 'excluded' end
            as disposition,
        case
            when repeated_rows.reason is not null then repeated_rows.reason
            when touches.occurred_at > run_parameter.as_of then 'after as_of'
            when left_out_leads.lead_id is not null then 'its lead is excluded'
            else 'rule: ' || rules.rule
        end as reason
    from touches
    cross join run_parameter
    left join repeated_rows
        on
            touches._feed = repeated_rows._feed
            and touches._load = repeated_rows._load
            and touches._line = repeated_rows._line
    left join left_out_leads on touches.lead_id = left_out_leads.lead_id
    left join rules
        on
            touches._feed = rules._feed
            and touches._load = rules._load
            and touches._line = rules._line
    where
        repeated_rows.reason is not null
        or touches.occurred_at > run_parameter.as_of
        or left_out_leads.lead_id is not null
        or rules.rule is not null

)

select * from final
