-- Who each lead and contact is, without saying who: persons and accounts as keyed hashes.
-- Grain: entity, record_id.
-- Records with one `person_key` are one person, with one `account_key` one customer account. What
-- several persons or accounts could be is none of them, and flagged.

with

records as (

    select * from {{ ref("int_person__record") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

final as (

    select
        -- ids
        records.entity,
        records.record_id,
        records.survivor_id,
        {{ keyed_hash("run_parameter.person_key", "records.person_id") }} as person_key,
        {{ keyed_hash("run_parameter.person_key", "'account:' || records.account_id") }}
            as account_key,
        -- text
        records.match_method,
        records.account_match_method,
        -- booleans
        records.record_id <> records.survivor_id as is_merged,
        records.is_ambiguous,
        records.is_account_ambiguous
    from records
    cross join run_parameter

)

select * from final
