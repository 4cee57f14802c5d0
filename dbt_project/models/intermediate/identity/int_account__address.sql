-- The account that the records with one e-mail address belong to.
-- Grain: address (addresses with exactly one such account).

with

identity_records as (

    select * from {{ ref("int_identity__record") }}
    where address is not null

),

records as (

    select * from {{ ref("int_person__record") }}
    where account_id is not null

),

final as (

    select
        identity_records.address,
        min(records.account_id) as account_id
    from identity_records
    inner join records
        on
            identity_records.entity = records.entity
            and identity_records.record_id = records.record_id
    group by identity_records.address
    having min(records.account_id) = max(records.account_id)

)

select * from final
