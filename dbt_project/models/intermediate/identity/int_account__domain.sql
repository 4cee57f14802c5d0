-- Which account an e-mail domain belongs to, by the contacts and leads whose account ids tell.
-- Grain: domain (free-mail domains are not here).
-- A domain that several accounts use belongs to none, and says so. A merged record speaks for the
-- account of its survivor.

with

records as (

    select * from {{ ref("int_identity__record") }}
    where domain is not null

),

contacts as (

    select * from {{ ref("int_contact__person") }}

),

lead_accounts as (

    select * from {{ ref("int_lead__account") }}

),

used as (

    select
        records.domain,
        coalesce(contacts.account_id, lead_accounts.account_id) as account_id
    from records
    left join contacts
        on case when records.entity = 'contact' then records.survivor_id end = contacts.contact_id
    left join lead_accounts
        on case when records.entity = 'lead' then records.survivor_id end = lead_accounts.lead_id

),

final as (

    select
        domain,
        case when min(account_id) = max(account_id) then min(account_id) end as account_id,
        min(account_id) <> max(account_id) as is_ambiguous
    from used
    where account_id is not null
    group by domain

)

select * from final
