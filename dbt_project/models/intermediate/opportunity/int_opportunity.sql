-- The opportunities in the books: duplicates, deleted and future ones are not here.
-- Grain: opportunity_id.
-- Without an account of its own it belongs to that of its primary contact.
-- Renewals, expansions, splits, … are in the books; new business is what says so or says nothing.

with

opportunities as (

    select * from {{ ref("stg_landed__opportunity") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

left_out as (

    select * from {{ ref("int_opportunity__left_out") }}

),

matches as (

    select * from {{ ref("int_campaign__match") }}
    where entity = 'opportunity'

),

contact_merges as (

    select * from {{ ref("int_merge") }}
    where entity = 'contact'

),

contacts as (

    select * from {{ ref("int_contact") }}
    where account_id is not null

),

final as (

    select
        -- ids
        opportunities._feed as feed,
        opportunities.opportunity_id,
        opportunities.contact_id,
        coalesce({{ account_key("opportunities.account") }}, contacts.account_id) as account_id,
        -- text
        opportunities.account,
        opportunities.owner,
        opportunities.product,
        coalesce(opportunities.kind, 'new') as kind,
        matches.canonical_source as source,
        matches.campaign_key,
        opportunities.stage as raw_stage,
        opportunities.reason,
        opportunities.currency,
        -- numbers
        opportunities.amount,
        -- booleans
        coalesce(opportunities.kind, 'new') = 'new' as is_new_business,
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
    cross join run_parameter
    inner join matches
        on
            opportunities.source is not distinct from matches.source
            and opportunities.campaign is not distinct from matches.campaign
            and coalesce(opportunities.created_at, run_parameter.as_of) >= matches.valid_from_at
            and coalesce(opportunities.created_at, run_parameter.as_of) < matches.valid_to_at
    left join contact_merges on opportunities.contact_id = contact_merges.record_id
    left join contacts
        on coalesce(contact_merges.survivor_id, opportunities.contact_id) = contacts.contact_id
    left join left_out
        on
            opportunities._feed = left_out._feed
            and opportunities._load = left_out._load
            and opportunities._line = left_out._line
    where left_out.opportunity_id is null

)

select * from final
