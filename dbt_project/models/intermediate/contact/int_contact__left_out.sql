-- The landed rows of contacts that are not in the books, and why. All others are.
-- Grain: landed row (_feed, _load, _line).
-- Rules, the first that holds: an id loaded again (the newest load counts, then the line furthest
-- down); merged into another contact, or in a circle (int_merge); created after as_of; a rule of
-- the company in force at its creation.

with

contacts as (

    select * from {{ ref("stg_landed__contact") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

repeated_rows as (

    select * from {{ ref("int_contact__repeated") }}

),

merge_map as (

    select * from {{ ref("int_merge") }}
    where entity = 'contact'

),

rules as (

    select * from {{ ref("int_exclusion__row") }}
    where entity = 'contacts' and preference = 1

),

final as (

    select
        contacts._feed,
        contacts._load,
        contacts._file,
        contacts._line,
        contacts.contact_id,
        case
            when repeated_rows.reason is not null or merge_map.survivor_id is not null then 'merged'
            else 'excluded'
        end as disposition,
        case
            when repeated_rows.reason is not null then repeated_rows.reason
            when merge_map.survivor_id is not null then 'merged into another contact'
            when merge_map.record_id is not null then merge_map.reason
            when contacts.created_at > run_parameter.as_of then 'created after as_of'
            else 'rule: ' || rules.rule
        end as reason,
        case when repeated_rows.reason is null then merge_map.survivor_id end
            as survivor_contact_id
    from contacts
    cross join run_parameter
    left join repeated_rows
        on
            contacts._feed = repeated_rows._feed
            and contacts._load = repeated_rows._load
            and contacts._line = repeated_rows._line
    left join merge_map on contacts.contact_id = merge_map.record_id
    left join rules
        on
            contacts._feed = rules._feed
            and contacts._load = rules._load
            and contacts._line = rules._line
    where
        repeated_rows.reason is not null
        or merge_map.record_id is not null
        or contacts.created_at > run_parameter.as_of
        or rules.rule is not null

)

select * from final
