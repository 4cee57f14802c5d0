-- The account that a lead belongs to by ids: that of its contact, or of the opportunity it became.
-- Grain: lead_id (leads in the books that have one).
-- Where the two differ, nobody can say which: there is none, and it says so.

with

leads as (

    select * from {{ ref("int_identity__record") }}
    where entity = 'lead' and record_id = survivor_id

),

persons as (

    select * from {{ ref("int_lead__person") }}

),

contacts as (

    select * from {{ ref("int_contact__person") }}

),

opportunities as (

    select * from {{ ref("int_opportunity") }}
    where account_id is not null

),

stated as (

    select
        leads.record_id as lead_id,
        contacts.account_id as contact_account_id,
        opportunities.account_id as opportunity_account_id
    from leads
    left join persons on leads.record_id = persons.lead_id
    left join contacts on persons.contact_id = contacts.contact_id
    left join opportunities on leads.opportunity_id = opportunities.opportunity_id

),

final as (

    select
        lead_id,
        case
            when contact_account_id <> opportunity_account_id then null
            else coalesce(contact_account_id, opportunity_account_id)
        end as account_id,
        coalesce(contact_account_id <> opportunity_account_id, false) as is_ambiguous
    from stated
    where contact_account_id is not null or opportunity_account_id is not null

)

select * from final
