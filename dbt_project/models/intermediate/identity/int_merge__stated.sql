-- What is said of records that were merged into others, and which of it counts.
-- Grain: landed row of `merges`, or of a lead that names the lead it was merged into.
-- A lead says so in the row that counts. Of several statements about one record the newest load
-- counts, then the list of merges before the lead itself, then the line furthest down; what is not
-- in force by as_of, or not about an entity we know, does not count.

with

merge_map as (

    select * from {{ ref("stg_landed__merge") }}

),

leads as (

    select * from {{ ref("stg_landed__lead") }}
    where merged_into is not null

),

repeated_leads as (

    select * from {{ ref("int_lead__repeated") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

stated as (

    select
        'merges' as stated_by,
        1 as precedence,
        entity,
        record_id,
        merged_into,
        merged_at,
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from merge_map

    union all

    select
        'leads' as stated_by,
        2 as precedence,
        'lead' as entity,
        leads.lead_id as record_id,
        leads.merged_into,
        cast(null as timestamp) as merged_at,
        leads._feed,
        leads._load,
        leads._file,
        leads._line,
        leads._loaded_at
    from leads
    left join repeated_leads
        on
            leads._feed = repeated_leads._feed
            and leads._load = repeated_leads._load
            and leads._line = repeated_leads._line
    where repeated_leads.lead_id is null

),

judged as (

    select
        stated.*,
        case
            when stated.entity not in ('lead', 'contact', 'opportunity')
                then 'no lead, contact or opportunity'
            when stated.merged_at > run_parameter.as_of then 'merged after as_of'
        end as problem
    from stated
    cross join run_parameter

),

ranked as (

    select
        *,
        row_number() over (
            partition by entity, record_id, problem is null
            order by
                _loaded_at desc,
                precedence asc,
                _load desc,
                _line desc,
                _feed asc,
                merged_into asc
        ) as recency,
        first_value(merged_into) over (
            partition by entity, record_id, problem is null
            order by
                _loaded_at desc,
                precedence asc,
                _load desc,
                _line desc,
                _feed asc,
                merged_into asc
        ) as counting_merged_into,
        min(merged_into) over (partition by entity, record_id, problem is null)
        <> max(merged_into) over (partition by entity, record_id, problem is null)
            as is_contradicted
    from judged

),

final as (

    select
        stated_by,
        entity,
        record_id,
        merged_into,
        case
            when problem is not null then problem
            when recency = 1 then 'counts'
            when merged_into = counting_merged_into then 'stated again'
            else 'another statement is newer'
        end as standing,
        problem is null and is_contradicted as is_contradicted,
        merged_at,
        _feed,
        _load,
        _file,
        _line,
        _loaded_at
    from ranked

)

select * from final
