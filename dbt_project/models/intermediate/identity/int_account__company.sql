-- Which account a company's name means: the names of all accounts, and what names have in common.
-- Grain: company_key.
-- An account's own name means that account; without legal forms a name may mean several, then none.

with

contacts as (

    select * from {{ ref("int_contact") }}
    where account_id is not null

),

opportunities as (

    select * from {{ ref("int_opportunity") }}
    where account_id is not null

),

accounts as (

    select account_id
    from contacts

    union distinct

    select account_id
    from opportunities

),

keyed as (

    select
        account_id,
        {{ company_key("account_id") }} as company_key
    from accounts

),

named as (

    select
        account_id as company_key,
        account_id as exact_account_id,
        account_id
    from keyed

    union all

    select
        company_key,
        cast(null as varchar) as exact_account_id,
        account_id
    from keyed
    where company_key <> account_id

),

final as (

    select
        company_key,
        case
            when max(exact_account_id) is not null then max(exact_account_id)
            when min(account_id) = max(account_id) then min(account_id)
        end as account_id,
        max(exact_account_id) is null and min(account_id) <> max(account_id) as is_ambiguous
    from named
    group by company_key

)

select * from final
