-- The person that each contact is.
-- Grain: contact_id.
-- Contacts with one e-mail are one person unless their accounts differ by more than the legal form:
-- then nobody can say whether one person has changed employer or two share a mailbox, and they are
-- kept apart.

with

contacts as (

    select * from {{ ref("int_identity__record") }}
    where entity = 'contact' and record_id = survivor_id

),

shared_addresses as (

    select
        address,
        min(record_id) as first_contact_id,
        coalesce(
            min({{ company_key("own_account_id") }}) <> max({{ company_key("own_account_id") }}),
            false
        ) as is_ambiguous
    from contacts
    where address is not null
    group by address
    having count(*) > 1

),

final as (

    select
        contacts.record_id as contact_id,
        'contact:' || case
            when shared_addresses.is_ambiguous then contacts.record_id
            else coalesce(shared_addresses.first_contact_id, contacts.record_id)
        end as person_id,
        case
            when shared_addresses.is_ambiguous then 'id'
            when shared_addresses.first_contact_id <> contacts.record_id then 'email'
            else 'id'
        end as match_method,
        coalesce(shared_addresses.is_ambiguous, false) as is_ambiguous,
        contacts.address,
        contacts.own_account_id as account_id
    from contacts
    left join shared_addresses on contacts.address = shared_addresses.address

)

select * from final
