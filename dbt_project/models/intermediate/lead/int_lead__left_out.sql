-- The landed rows of leads that are not in the books, and why. All others are.
-- Grain: landed row (_feed, _load, _line).
-- Rules, the first that holds: an id loaded again (the newest load counts, then the line furthest
-- down); merged into another lead (through any number of merges; at most 64, so that a circle
-- ends); created after as_of; a test record or an excluded e-mail domain, if the definition of
-- qualified in force at its creation says so. A merge into a lead that no source delivers is none.

with recursive

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

repeated_ids as (

    select lead_id
    from leads
    group by lead_id
    having count(*) > 1

),

ranked as (

    select
        leads._feed,
        leads._load,
        leads._file,
        leads._line,
        leads.lead_id,
        first_value(leads._feed) over (
            partition by leads.lead_id
            order by leads._load desc, leads._line desc, leads._feed asc
        ) as kept_feed,
        row_number() over (
            partition by leads.lead_id
            order by leads._load desc, leads._line desc, leads._feed asc
        ) as recency
    from leads
    inner join repeated_ids on leads.lead_id = repeated_ids.lead_id

),

repeated as (

    select
        _feed,
        _load,
        _file,
        _line,
        lead_id,
        'merged' as disposition,
        case
            when _feed = kept_feed then 'same id loaded again'
            else 'same id in another feed'
        end as reason,
        lead_id as survivor_lead_id
    from ranked
    where recency > 1

),

merge_steps as (

    select
        leads._feed,
        leads._load,
        leads._file,
        leads._line,
        leads.lead_id,
        leads.merged_into
    from leads
    left join repeated
        on
            leads._feed = repeated._feed
            and leads._load = repeated._load
            and leads._line = repeated._line
    where
        leads.merged_into is not null
        and repeated.lead_id is null
        and exists (
            select 1
            from leads as targets
            where targets.lead_id = leads.merged_into
        )

),

steps as (

    select
        lead_id,
        merged_into as reached,
        1 as step
    from merge_steps

    union all

    select
        steps.lead_id,
        merge_steps.merged_into as reached,
        steps.step + 1 as step
    from steps
    inner join merge_steps on steps.reached = merge_steps.lead_id
    where steps.step < 64

),

survivors as (

    select
        steps.lead_id,
        steps.reached as survivor_lead_id
    from steps
    left join merge_steps on steps.reached = merge_steps.lead_id
    where merge_steps.lead_id is null

),

merged as (

    select
        merge_steps._feed,
        merge_steps._load,
        merge_steps._file,
        merge_steps._line,
        merge_steps.lead_id,
        case when survivors.lead_id is null then 'excluded' else 'merged' end as disposition,
        case
            when survivors.lead_id is null then 'merged in a circle'
            else 'merged into another lead'
        end as reason,
        survivors.survivor_lead_id
    from merge_steps
    left join survivors on merge_steps.lead_id = survivors.lead_id

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
    where
        leads.created_at > run_parameter.as_of
        or leads.is_test
        or excluded_domains.version is not null

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
