-- The leads and contacts that are somebody, with all that tells who: those in the books, and those
-- that were merged into one of them (also where no source delivers them any more).
-- Grain: entity, record_id.
-- A shared mailbox (info@, sales@) does not tell who its user is, but it tells for which company; a
-- free-mail domain does not.

with

leads as (

    select * from {{ ref("stg_landed__lead") }}

),

left_out_leads as (

    select * from {{ ref("int_lead__left_out") }}

),

contacts as (

    select * from {{ ref("stg_landed__contact") }}

),

left_out_contacts as (

    select * from {{ ref("int_contact__left_out") }}

),

lead_merges as (

    select * from {{ ref("int_merge") }}
    where entity = 'lead' and survivor_id is not null

),

contact_merges as (

    select * from {{ ref("int_merge") }}
    where entity = 'contact' and survivor_id is not null

),

opportunity_merges as (

    select * from {{ ref("int_merge") }}
    where entity = 'opportunity' and survivor_id is not null

),

shared_mailboxes as (

    select * from {{ ref("shared_mailboxes") }}

),

free_mail_domains as (

    select * from {{ ref("free_mail_domains") }}

),

standing_leads as (

    select
        'lead' as entity,
        leads.lead_id as record_id,
        coalesce(left_out_leads.survivor_lead_id, leads.lead_id) as survivor_id,
        coalesce(contact_merges.survivor_id, leads.contact_id) as contact_id,
        coalesce(opportunity_merges.survivor_id, leads.converted_opportunity_id) as opportunity_id,
        {{ account_key("leads.company") }} as company_account_id,
        cast(null as varchar) as own_account_id,
        leads.email
    from leads
    left join left_out_leads
        on
            leads._feed = left_out_leads._feed
            and leads._load = left_out_leads._load
            and leads._line = left_out_leads._line
    left join contact_merges on leads.contact_id = contact_merges.record_id
    left join opportunity_merges
        on leads.converted_opportunity_id = opportunity_merges.record_id
    where
        left_out_leads.lead_id is null
        or left_out_leads.reason = 'merged into another lead'

),

standing_contacts as (

    select
        'contact' as entity,
        contacts.contact_id as record_id,
        coalesce(left_out_contacts.survivor_contact_id, contacts.contact_id) as survivor_id,
        coalesce(left_out_contacts.survivor_contact_id, contacts.contact_id) as contact_id,
        cast(null as varchar) as opportunity_id,
        cast(null as varchar) as company_account_id,
        {{ account_key("contacts.account") }} as own_account_id,
        contacts.email
    from contacts
    left join left_out_contacts
        on
            contacts._feed = left_out_contacts._feed
            and contacts._load = left_out_contacts._load
            and contacts._line = left_out_contacts._line
    where
        left_out_contacts.contact_id is null
        or left_out_contacts.reason = 'merged into another contact'

),

-- Records that only a merge still names.
merged_away as (

    select
        'lead' as entity,
        lead_merges.record_id,
        lead_merges.survivor_id
    from lead_merges
    left join leads on lead_merges.record_id = leads.lead_id
    where leads.lead_id is null

    union all

    select
        'contact' as entity,
        contact_merges.record_id,
        contact_merges.survivor_id
    from contact_merges
    left join contacts on contact_merges.record_id = contacts.contact_id
    where contacts.contact_id is null

),

-- A record that was merged into one of these is nobody's.
excluded as (

    select
        'lead' as entity,
        lead_id as record_id
    from left_out_leads
    where disposition = 'excluded'

    union all

    select
        'contact' as entity,
        contact_id as record_id
    from left_out_contacts
    where disposition = 'excluded'

),

every_record as (

    select * from standing_leads

    union all

    select * from standing_contacts

    union all

    select
        entity,
        record_id,
        survivor_id,
        case when entity = 'contact' then survivor_id end as contact_id,
        cast(null as varchar) as opportunity_id,
        cast(null as varchar) as company_account_id,
        cast(null as varchar) as own_account_id,
        cast(null as varchar) as email
    from merged_away

),

in_books as (

    select
        every_record.*,
        {{ email_key("every_record.email") }} as address
    from every_record
    left join excluded
        on
            every_record.entity = excluded.entity
            and every_record.survivor_id = excluded.record_id
    where excluded.record_id is null

),

addressed as (

    select
        *,
        {{ address_mailbox("address") }} as mailbox,
        {{ address_domain("address") }} as email_domain
    from in_books

),

final as (

    select
        addressed.entity,
        addressed.record_id,
        addressed.survivor_id,
        addressed.contact_id,
        addressed.opportunity_id,
        addressed.company_account_id,
        addressed.own_account_id,
        case when shared_mailboxes.mailbox is null then addressed.address end as address,
        case when free_mail_domains.domain is null then addressed.email_domain end as domain
    from addressed
    left join shared_mailboxes on addressed.mailbox = shared_mailboxes.mailbox
    left join free_mail_domains on addressed.email_domain = free_mail_domains.domain

)

select * from final
