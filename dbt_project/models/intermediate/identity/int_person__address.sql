-- The person that each e-mail address belongs to.
-- Grain: address.
-- Persons who are known by ids come first; an address that several of them use belongs to nobody,
-- and says so. An address that only leads without such a person use is a person by itself.

with

records as (

    select * from {{ ref("int_identity__record") }}
    where address is not null

),

contacts as (

    select * from {{ ref("int_contact__person") }}

),

leads as (

    select * from {{ ref("int_lead__person") }}

),

candidates as (

    select
        records.address,
        coalesce(contacts.person_id, leads.person_id) as person_id
    from records
    left join contacts
        on case when records.entity = 'contact' then records.survivor_id end = contacts.contact_id
    left join leads
        on case when records.entity = 'lead' then records.survivor_id end = leads.lead_id

),

final as (

    select
        address,
        case
            when min(person_id) is null then 'email:' || address
            when min(person_id) = max(person_id) then min(person_id)
        end as person_id,
        coalesce(min(person_id) <> max(person_id), false) as is_ambiguous
    from candidates
    group by address

)

select * from final
