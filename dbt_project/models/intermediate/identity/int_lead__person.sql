-- The person that a lead is by ids alone: a contact, or the leads that were merged into it.
-- Grain: lead_id (leads in the books that have such a person).
-- The first that holds: the contact that the lead names; the one contact that the leads merged into
-- it name; the primary contact of the opportunity it became, if no other lead became it and their
-- e-mails do not differ; itself, if leads with another e-mail were merged into it.

with

leads as (

    select * from {{ ref("int_identity__record") }}
    where entity = 'lead'

),

merged_leads as (

    select * from {{ ref("int_identity__record") }}
    where entity = 'lead' and record_id <> survivor_id

),

contacts as (

    select * from {{ ref("int_contact__person") }}

),

opportunities as (

    select * from {{ ref("int_opportunity") }}
    where contact_id is not null

),

contact_merges as (

    select * from {{ ref("int_merge") }}
    where entity = 'contact' and survivor_id is not null

),

survivors as (

    select * from leads
    where record_id = survivor_id

),

of_merged as (

    select
        survivor_id,
        min(contact_id) as contact_id,
        coalesce(min(contact_id) <> max(contact_id), false) as has_several_contacts
    from merged_leads
    group by survivor_id

),

by_merge as (

    select
        survivors.record_id as lead_id,
        case when not of_merged.has_several_contacts then of_merged.contact_id end as contact_id
    from survivors
    inner join of_merged on survivors.record_id = of_merged.survivor_id

),

-- Leads that were merged into the one that became it do not count as others.
lonely as (

    select
        opportunity_id,
        min(survivor_id) as lead_id
    from leads
    where opportunity_id is not null
    group by opportunity_id
    having min(survivor_id) = max(survivor_id)

),

by_opportunity as (

    select
        survivors.record_id as lead_id,
        coalesce(contact_merges.survivor_id, opportunities.contact_id) as contact_id
    from survivors
    inner join lonely
        on
            survivors.opportunity_id = lonely.opportunity_id
            and survivors.record_id = lonely.lead_id
    inner join opportunities on survivors.opportunity_id = opportunities.opportunity_id
    left join contact_merges on opportunities.contact_id = contact_merges.record_id
    left join contacts
        on coalesce(contact_merges.survivor_id, opportunities.contact_id) = contacts.contact_id
    where
        survivors.contact_id is null
        and (
            survivors.address is null
            or contacts.address is null
            or survivors.address = contacts.address
        )

),

other_addresses as (

    select distinct survivors.record_id as lead_id
    from survivors
    inner join merged_leads on survivors.record_id = merged_leads.survivor_id
    where
        merged_leads.address is not null
        and merged_leads.address is distinct from survivors.address

),

linked as (

    select
        survivors.record_id as lead_id,
        coalesce(
            survivors.contact_id,
            by_merge.contact_id,
            by_opportunity.contact_id
        ) as contact_id,
        other_addresses.lead_id is not null as has_other_address
    from survivors
    left join by_merge on survivors.record_id = by_merge.lead_id
    left join by_opportunity on survivors.record_id = by_opportunity.lead_id
    left join other_addresses on survivors.record_id = other_addresses.lead_id

),

final as (

    select
        linked.lead_id,
        linked.contact_id,
        case
            when linked.contact_id is not null
                then coalesce(contacts.person_id, 'contact:' || linked.contact_id)
            else 'lead:' || linked.lead_id
        end as person_id
    from linked
    left join contacts on linked.contact_id = contacts.contact_id
    where linked.contact_id is not null or linked.has_other_address

)

select * from final
