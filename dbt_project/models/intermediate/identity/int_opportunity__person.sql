-- Who has a part in an opportunity: its primary contact, the contacts with a role in it, and the
-- leads that became it.
-- Grain: opportunity_id, person_id.
-- Roles of merged contacts and opportunities count for what they are part of now; roles of contacts
-- that are not in the books do not count.

with

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

contact_roles as (

    select * from {{ ref("int_contact_role__standing") }}
    where disposition = 'kept'

),

records as (

    select * from {{ ref("int_person__record") }}

),

identity_records as (

    select * from {{ ref("int_identity__record") }}
    where opportunity_id is not null

),

left_out_contacts as (

    select contact_id
    from {{ ref("int_contact__left_out") }}
    where disposition = 'excluded'

),

stated_contacts as (

    select
        opportunity_id,
        contact_id,
        1 as primary_mark
    from opportunities
    where contact_id is not null

    union all

    select
        opportunity_id,
        contact_id,
        case when is_primary then 1 else 0 end as primary_mark
    from contact_roles

),

parts as (

    -- A contact that no source delivers is a person all the same, by its id.
    select
        stated_contacts.opportunity_id,
        coalesce(records.person_id, 'contact:' || stated_contacts.contact_id) as person_id,
        stated_contacts.primary_mark,
        0 as lead_mark
    from stated_contacts
    left join records
        on
            records.entity = 'contact'
            and stated_contacts.contact_id = records.record_id
    left join left_out_contacts on stated_contacts.contact_id = left_out_contacts.contact_id
    where left_out_contacts.contact_id is null

    union all

    select
        identity_records.opportunity_id,
        records.person_id,
        0 as primary_mark,
        1 as lead_mark
    from identity_records
    inner join records
        on
            identity_records.entity = records.entity
            and identity_records.record_id = records.record_id

),

final as (

    select
        parts.opportunity_id,
        parts.person_id,
        max(parts.primary_mark) = 1 as is_primary,
        max(parts.lead_mark) = 1 as has_converted_lead
    from parts
    inner join opportunities on parts.opportunity_id = opportunities.opportunity_id
    group by parts.opportunity_id, parts.person_id

)

select * from final
