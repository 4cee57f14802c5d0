-- The touches in the books: whose they are and which campaign's.
-- Grain: touch_id.
-- The person is that of the lead (also of a merged one); without a lead that is known, that of the
-- e-mail; null where nobody is known. The account is that of the person's record, else the one
-- whose domain the e-mail has.

with

touches as (

    select * from {{ ref("stg_landed__touch") }}

),

left_out as (

    select * from {{ ref("int_touch__left_out") }}

),

matches as (

    select * from {{ ref("int_campaign__match") }}
    where entity = 'touch'

),

records as (

    select * from {{ ref("int_person__record") }}
    where entity = 'lead'

),

addresses as (

    select * from {{ ref("int_person__address") }}

),

address_accounts as (

    select * from {{ ref("int_account__address") }}

),

domains as (

    select * from {{ ref("int_account__domain") }}

),

kept as (

    select
        touches.*,
        case when records.record_id is null then {{ email_key("touches.email") }} end as address,
        records.person_id as lead_person_id,
        records.account_id as lead_account_id
    from touches
    left join left_out
        on
            touches._feed = left_out._feed
            and touches._load = left_out._load
            and touches._line = left_out._line
    left join records on touches.lead_id = records.record_id
    where left_out.touch_id is null

),

final as (

    select
        -- ids
        kept._feed as feed,
        kept.touch_id,
        coalesce(kept.lead_person_id, addresses.person_id) as person_id,
        coalesce(kept.lead_account_id, address_accounts.account_id, domains.account_id)
            as account_id,
        kept.lead_id,
        -- text
        matches.campaign_key,
        matches.canonical_source as source,
        kept.kind,
        case
            when kept.lead_person_id is not null then 'id'
            when addresses.person_id is not null then 'email'
            else 'none'
        end as match_method,
        case
            when coalesce(kept.lead_account_id, address_accounts.account_id) is not null
                then 'person'
            when domains.account_id is not null then 'domain'
            else 'none'
        end as account_match_method,
        -- booleans
        kept.lead_person_id is null and coalesce(addresses.is_ambiguous, false) as is_ambiguous,
        -- times
        kept.occurred_at,
        -- lineage
        kept._load,
        kept._file,
        kept._line,
        kept._loaded_at
    from kept
    inner join matches
        on
            coalesce(kept.source, kept.utm_source) is not distinct from matches.source
            and coalesce(kept.campaign, kept.utm_campaign) is not distinct from matches.campaign
            and kept.occurred_at >= matches.valid_from_at
            and kept.occurred_at < matches.valid_to_at
    left join addresses on kept.address = addresses.address
    left join address_accounts on kept.address = address_accounts.address
    left join domains on {{ address_domain("kept.address") }} = domains.domain

)

select * from final
