-- No row is lost: what the raw files hold beside what became of it. Law B6 compares the two.
-- Grain: feed, table_name.

with

loads as (

    select * from {{ ref("stg_landed__load") }}

),

reasons as (

    select * from {{ ref("audit_row_reason") }}

),

raw_counts as (

    select
        feed,
        table_name,
        {{ exact_sum("raw_rows") }} as raw_rows
    from loads
    group by feed, table_name

),

standing as (

    select
        feed,
        table_name,
        {{ exact_sum("case when disposition = 'kept' then rows else 0 end") }} as kept_rows,
        {{ exact_sum("case when disposition = 'merged' then rows else 0 end") }} as merged_rows,
        {{ exact_sum("case when disposition = 'excluded' then rows else 0 end") }}
            as excluded_rows,
        {{ exact_sum("case when disposition = 'quarantined' then rows else 0 end") }}
            as quarantined_rows,
        {{ exact_sum("case when disposition = 'superseded' then rows else 0 end") }}
            as superseded_rows
    from reasons
    group by feed, table_name

),

final as (

    select
        coalesce(raw_counts.feed, standing.feed) as feed,
        coalesce(raw_counts.table_name, standing.table_name) as table_name,
        coalesce(raw_counts.raw_rows, 0) as raw_rows,
        coalesce(standing.kept_rows, 0) as kept_rows,
        coalesce(standing.merged_rows, 0) as merged_rows,
        coalesce(standing.excluded_rows, 0) as excluded_rows,
        coalesce(standing.quarantined_rows, 0) as quarantined_rows,
        coalesce(standing.superseded_rows, 0) as superseded_rows
    from raw_counts
    full outer join standing
        on
            raw_counts.feed = standing.feed
            and raw_counts.table_name = standing.table_name

)

select * from final
