-- The landed rows of leads that are not in the books, and why. All others are.
-- Grain: landed row (_feed, _load, _line).
-- Rules, the first that holds: an id loaded again (the newest load counts, then the line furthest
-- down); merged into another lead, or in a circle (int_merge); created after as_of; a test record
-- or an excluded e-mail domain, if the definition of qualified in force at its creation says so; a
-- rule of the company in force at its creation.

with

leads as (

    select * from {{ ref("stg_landed__lead") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

definitions as (

    select * from {{ ref("int_qualified_definition") }}

),

excluded_domains as (

    select * from {{ ref("int_lead__excluded_domain") }}

),

repeated_rows as (

    select * from {{ ref("int_lead__repeated") }}

),

merge_map as (

    select * from {{ ref("int_merge") }}
    where entity = 'lead'

),

rules as (

    select * from {{ ref("int_exclusion__row") }}
    where entity = 'leads' and preference = 1

),

repeated as (

    select
        _feed,
        _load,
        _file,
        _line,
        lead_id,
        'merged' as disposition,
        reason,
        lead_id as survivor_lead_id
    from repeated_rows

),

merged as (

    select
        leads._feed,
        leads._load,
        leads._file,
        leads._line,
        leads.lead_id,
        case when merge_map.survivor_id is null then 'excluded' else 'merged' end as disposition,
        case
            when merge_map.survivor_id is null then merge_map.reason
            else 'merged into another lead'
        end as reason,
        merge_map.survivor_id as survivor_lead_id
    from leads
    inner join merge_map on leads.lead_id = merge_map.record_id
    left join repeated_rows
        on
            leads._feed = repeated_rows._feed
            and leads._load = repeated_rows._load
            and leads._line = repeated_rows._line
    where repeated_rows.lead_id is null

),

-- Of rows without another fate: those that the definition in force at creation does not want.
unfit as (

    select
        leads._feed,
        leads._load,
        leads._file,
        leads._line,
        leads.lead_id,
        'excluded' as disposition,
        case
            when leads.created_at > run_parameter.as_of then 'created after as_of'
            when definitions.exclude_test and leads.is_test then 'test record'
            when excluded_domains.version is not null then 'excluded e-mail domain'
            when rules.rule is not null then 'rule: ' || rules.rule
        end as reason,
        cast(null as varchar) as survivor_lead_id
    from leads
    cross join run_parameter
    left join definitions
        on
            leads.created_at >= definitions.valid_from
            and leads.created_at < definitions.valid_to
    left join excluded_domains
        on
            leads._feed = excluded_domains._feed
            and leads._load = excluded_domains._load
            and leads._line = excluded_domains._line
            and definitions.version = excluded_domains.version
    left join rules
        on
            leads._feed = rules._feed
            and leads._load = rules._load
            and leads._line = rules._line
    where
        leads.created_at > run_parameter.as_of
        or leads.is_test
        or excluded_domains.version is not null
        or rules.rule is not null

),

fated as (

    select * from repeated

    union all

    select * from merged

),

final as (

    select * from fated

    union all

    select unfit.*
    from unfit
    left join fated
        on
            unfit._feed = fated._feed
            and unfit._load = fated._load
            and unfit._line = fated._line
    where unfit.reason is not null and fated.lead_id is null

)

select * from final
