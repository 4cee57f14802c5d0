-- The opportunities in the books: duplicates, deleted and future ones are not here.
-- Grain: opportunity_id.

with

opportunities as (

    select * from {{ ref("stg_landed__opportunity") }}

),

left_out as (

    select * from {{ ref("int_opportunity__left_out") }}

),

matches as (

    select * from {{ ref("int_campaign__match") }}
    where entity = 'opportunity'

),

final as (

    select
        -- ids
        opportunities._feed as feed,
        opportunities.opportunity_id,
        opportunities.contact_id,
        -- text
        opportunities.account,
        opportunities.owner,
        opportunities.product,
        matches.canonical_source as source,
        matches.campaign_key,
        opportunities.stage as raw_stage,
        opportunities.reason,
        opportunities.currency,
        -- numbers
        opportunities.amount,
        -- times
        opportunities.created_at,
        opportunities.stage_at,
        opportunities.close_date,
        -- lineage
        opportunities._load,
        opportunities._file,
        opportunities._line,
        opportunities._loaded_at
    from opportunities
    inner join matches
        on
            opportunities.source is not distinct from matches.source
            and opportunities.campaign is not distinct from matches.campaign
    left join left_out
        on
            opportunities._feed = left_out._feed
            and opportunities._load = left_out._load
            and opportunities._line = left_out._line
    where left_out.opportunity_id is null

)

select * from final
