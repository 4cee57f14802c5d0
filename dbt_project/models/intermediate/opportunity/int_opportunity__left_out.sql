-- The landed rows of opportunities that are not in the books, and why. All others are.
-- Grain: landed row (_feed, _load, _line).
-- Rules, the first that holds: an id loaded again (the newest load counts, then the line furthest
-- down); deleted in its system; created after as_of.

with

opportunities as (

    select * from {{ ref("stg_landed__opportunity") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

repeated_ids as (

    select opportunity_id
    from opportunities
    group by opportunity_id
    having count(*) > 1

),

ranked as (

    select
        opportunities._feed,
        opportunities._load,
        opportunities._file,
        opportunities._line,
        opportunities.opportunity_id,
        first_value(opportunities._feed) over (
            partition by opportunities.opportunity_id
            order by opportunities._load desc, opportunities._line desc, opportunities._feed asc
        ) as kept_feed,
        row_number() over (
            partition by opportunities.opportunity_id
            order by opportunities._load desc, opportunities._line desc, opportunities._feed asc
        ) as recency
    from opportunities
    inner join repeated_ids on opportunities.opportunity_id = repeated_ids.opportunity_id

),

repeated as (

    select
        _feed,
        _load,
        _file,
        _line,
        opportunity_id,
        'merged' as disposition,
        case
            when _feed = kept_feed then 'same id loaded again'
            else 'same id in another feed'
        end as reason
    from ranked
    where recency > 1

),

excluded as (

    select
        opportunities._feed,
        opportunities._load,
        opportunities._file,
        opportunities._line,
        opportunities.opportunity_id,
        'excluded' as disposition,
        case
            when opportunities.is_deleted then 'deleted in its system'
            else 'created after as_of'
        end as reason
    from opportunities
    cross join run_parameter
    left join repeated
        on
            opportunities._feed = repeated._feed
            and opportunities._load = repeated._load
            and opportunities._line = repeated._line
    where
        repeated.opportunity_id is null
        and (opportunities.is_deleted or opportunities.created_at > run_parameter.as_of)

),

final as (

    select * from repeated

    union all

    select * from excluded

)

select * from final
