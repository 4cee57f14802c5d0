-- Every cell that could not be read: where it stands and why, without its value (personal data).
-- Grain: feed, table_name, load_number, file, line, column_name.

with

quarantined as (

    select * from {{ ref("stg_landed__quarantine") }}

),

final as (

    select
        feed,
        table_name,
        load_number,
        file,
        line,
        column_name,
        reason
    from quarantined

)

select * from final
