-- Who each lead and contact is, and which account it belongs to. Nothing is guessed: where several
-- fit, it belongs to none of them and is flagged.
-- Grain: entity, record_id.
-- Persons: by ids (int_contact__person, int_lead__person), then by e-mail (int_person__address).
-- Accounts: by ids (also those of the contact that the e-mail leads to), then by the company's
-- name, then by the domain of the e-mail. A merged record is what its survivor is.

with

records as (

    select * from {{ ref("int_identity__record") }}

),

-- With a key of its own for each entity: an entity that is compared within a join condition makes
-- DuckDB compare every pair.
survivors as (

    select
        *,
        case when entity = 'contact' then record_id end as contact_key,
        case when entity = 'lead' then record_id end as lead_key
    from {{ ref("int_identity__record") }}
    where record_id = survivor_id

),

contact_persons as (

    select * from {{ ref("int_contact__person") }}

),

lead_persons as (

    select * from {{ ref("int_lead__person") }}

),

addresses as (

    select * from {{ ref("int_person__address") }}

),

lead_accounts as (

    select * from {{ ref("int_lead__account") }}

),

person_accounts as (

    select
        person_id,
        min(account_id) as account_id,
        min(account_id) <> max(account_id) as is_ambiguous
    from {{ ref("int_contact__person") }}
    where account_id is not null
    group by person_id

),

companies as (

    select * from {{ ref("int_account__company") }}

),

domains as (

    select * from {{ ref("int_account__domain") }}

),

candidates as (

    select
        survivors.entity,
        survivors.record_id,
        coalesce(contact_persons.person_id, lead_persons.person_id) as id_person_id,
        contact_persons.match_method as contact_match_method,
        contact_persons.is_ambiguous as is_contact_ambiguous,
        addresses.person_id as address_person_id,
        addresses.is_ambiguous as is_address_ambiguous,
        case
            when survivors.own_account_id is not null then survivors.own_account_id
            when lead_accounts.lead_id is not null then lead_accounts.account_id
            when not person_accounts.is_ambiguous then person_accounts.account_id
        end as id_account_id,
        survivors.own_account_id is null
        and coalesce(lead_accounts.is_ambiguous, person_accounts.is_ambiguous, false)
            as is_id_account_ambiguous,
        coalesce(exact_companies.account_id, companies.account_id) as company_account_id,
        exact_companies.company_key is null and companies.is_ambiguous as is_company_ambiguous,
        domains.account_id as domain_account_id,
        domains.is_ambiguous as is_domain_ambiguous
    from survivors
    left join contact_persons
        on survivors.contact_key = contact_persons.contact_id
    left join lead_persons
        on survivors.lead_key = lead_persons.lead_id
    left join addresses on survivors.address = addresses.address
    left join lead_accounts
        on survivors.lead_key = lead_accounts.lead_id
    left join person_accounts
        on
            coalesce(contact_persons.person_id, lead_persons.person_id, addresses.person_id)
            = person_accounts.person_id
    left join companies as exact_companies
        on survivors.company_account_id = exact_companies.company_key
    left join companies
        on {{ company_key("survivors.company_account_id") }} = companies.company_key
    left join domains on survivors.domain = domains.domain

),

matched as (

    select
        entity,
        record_id,
        coalesce(id_person_id, address_person_id, entity || ':' || record_id) as person_id,
        case
            when contact_match_method is not null then contact_match_method
            when id_person_id is not null then 'id'
            when address_person_id is not null then 'email'
            else 'none'
        end as match_method,
        case
            when entity = 'contact' then is_contact_ambiguous
            when id_person_id is not null then false
            else coalesce(is_address_ambiguous, false)
        end as is_ambiguous,
        case
            when id_account_id is not null or is_id_account_ambiguous then 'id'
            when company_account_id is not null or coalesce(is_company_ambiguous, false)
                then 'company'
            when domain_account_id is not null or coalesce(is_domain_ambiguous, false)
                then 'domain'
            else 'none'
        end as account_decided_by,
        id_account_id,
        company_account_id,
        domain_account_id
    from candidates

),

decided as (

    select
        *,
        case account_decided_by
            when 'id' then id_account_id
            when 'company' then company_account_id
            when 'domain' then domain_account_id
        end as account_id
    from matched

),

final as (

    select
        records.entity,
        records.record_id,
        records.survivor_id,
        decided.person_id,
        case when records.record_id = records.survivor_id then decided.match_method else 'id' end
            as match_method,
        decided.is_ambiguous,
        decided.account_id,
        case when decided.account_id is null then 'none' else decided.account_decided_by end
            as account_match_method,
        decided.account_decided_by <> 'none' and decided.account_id is null
            as is_account_ambiguous
    from records
    inner join decided
        on
            records.entity = decided.entity
            and records.survivor_id = decided.record_id

)

select * from final
