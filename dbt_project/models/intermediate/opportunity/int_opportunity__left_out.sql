-- The landed rows of opportunities that are not in the books, and why. All others are.
-- Grain: landed row (_feed, _load, _line).
-- Rules, the first that holds: an id loaded again (the newest load counts, then the line furthest
-- down); merged into another opportunity, or in a circle (int_merge); deleted in its system;
-- created after as_of; a rule of the company in force at its creation.

with

opportunities as (

    select * from {{ ref("stg_landed__opportunity") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

repeated_rows as (

    select * from {{ ref("int_opportunity__repeated") }}

),

merge_map as (

    select * from {{ ref("int_merge") }}
    where entity = 'opportunity'

),

rules as (

    select * from {{ ref("int_exclusion__row") }}
    where entity = 'opportunities' and preference = 1

),

final as (

    select
        opportunities._feed,
        opportunities._load,
        opportunities._file,
        opportunities._line,
        opportunities.opportunity_id,
        case
            when repeated_rows.reason is not null or merge_map.survivor_id is not null then 'merged'
            else 'excluded'
        end as disposition,
        case
            when repeated_rows.reason is not null then repeated_rows.reason
            when merge_map.survivor_id is not null then 'merged into another opportunity'
            when merge_map.record_id is not null then merge_map.reason
            when opportunities.is_deleted then 'deleted in its system'
            when opportunities.created_at > run_parameter.as_of then 'created after as_of'
            else 'rule: ' || rules.rule
        end as reason,
        case when repeated_rows.reason is null then merge_map.survivor_id end
            as survivor_opportunity_id
    from opportunities
    cross join run_parameter
    left join repeated_rows
        on
            opportunities._feed = repeated_rows._feed
            and opportunities._load = repeated_rows._load
            and opportunities._line = repeated_rows._line
    left join merge_map on opportunities.opportunity_id = merge_map.record_id
    left join rules
        on
            opportunities._feed = rules._feed
            and opportunities._load = rules._load
            and opportunities._line = rules._line
    where
        repeated_rows.reason is not null
        or merge_map.record_id is not null
        or opportunities.is_deleted
        or opportunities.created_at > run_parameter.as_of
        or rules.rule is not null

)

select * from final
