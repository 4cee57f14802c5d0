-- The contacts in the books: duplicates, merged, excluded and future ones are not here.
-- Grain: contact_id.

with

contacts as (

    select * from {{ ref("stg_landed__contact") }}

),

left_out as (

    select * from {{ ref("int_contact__left_out") }}

),

final as (

    select
        -- ids
        contacts._feed as feed,
        contacts.contact_id,
        {{ account_key("contacts.account") }} as account_id,
        -- text
        contacts.email,
        contacts.account,
        contacts.owner,
        -- times
        contacts.created_at,
        -- lineage
        contacts._load,
        contacts._file,
        contacts._line,
        contacts._loaded_at
    from contacts
    left join left_out
        on
            contacts._feed = left_out._feed
            and contacts._load = left_out._load
            and contacts._line = left_out._line
    where left_out.contact_id is null

)

select * from final
