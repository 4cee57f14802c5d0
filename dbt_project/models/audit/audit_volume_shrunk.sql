-- What has become fewer since the publication before, further than is tolerated: a load that was
-- cut short. Law B12 blocks on every row.
-- Grain: feed, table_name, month (null: the whole table).
-- A table may lose the per cent that its feed's `tolerances: shrink:` says, else 5; that is rounded
-- up to whole rows, but the last row never goes unasked. Months are held to the same where they had
-- 20 rows: fewer say nothing by themselves, and count in the whole table. A feed that is not read
-- any more is held to what all feeds deliver of its tables, and to the most that any of them
-- tolerates: one that was renamed or divided has lost nothing.

{%- set default_pct = 5 %}
{%- set judged_months_from = 20 %}

with

volumes as (

    select * from {{ ref("audit_volume") }}

),

volumes_before as (

    select * from {{ ref("stg_landed__volume_before") }}

),

tolerances as (

    select
        feed,
        name as table_name,
        at_most
    from {{ ref("stg_landed__tolerance") }}
    where kind = 'shrink'

),

most_tolerated as (

    select
        table_name,
        max(at_most) as at_most
    from tolerances
    group by table_name

),

tables_now as (

    select
        feed,
        table_name,
        {{ exact_sum("rows") }} as rows
    from volumes
    group by feed, table_name

),

all_before as (

    select
        table_name,
        {{ exact_sum("rows") }} as rows
    from volumes_before
    group by table_name

),

all_now as (

    select
        table_name,
        {{ exact_sum("rows") }} as rows
    from volumes
    group by table_name

),

before as (

    select
        feed,
        table_name,
        is_feed_read,
        cast(null as date) as month,
        {{ exact_sum("rows") }} as rows
    from volumes_before
    group by feed, table_name, is_feed_read

    union all

    select
        feed,
        table_name,
        is_feed_read,
        month,
        rows
    from volumes_before
    where month is not null and rows >= {{ judged_months_from }} and is_feed_read

),

compared as (

    select
        before.feed,
        before.table_name,
        before.month,
        not before.is_feed_read as is_feed_gone,
        before.rows as rows_before,
        coalesce(
            case when before.month is null then tables_now.rows else volumes.rows end, 0
        ) as rows_after,
        all_before.rows as all_before,
        coalesce(all_now.rows, 0) as all_after,
        coalesce(
            case when before.is_feed_read then tolerances.at_most else most_tolerated.at_most end,
            {{ default_pct }}
        ) as at_most_pct
    from before
    inner join all_before on before.table_name = all_before.table_name
    left join all_now on before.table_name = all_now.table_name
    left join tables_now
        on
            before.feed = tables_now.feed
            and before.table_name = tables_now.table_name
    left join volumes
        on
            before.feed = volumes.feed
            and before.table_name = volumes.table_name
            and before.month = volumes.month
    left join tolerances
        on
            before.feed = tolerances.feed
            and before.table_name = tolerances.table_name
    left join most_tolerated on before.table_name = most_tolerated.table_name

),

judged as (

    select
        *,
        case when is_feed_gone then all_before else rows_before end as before_rows,
        case when is_feed_gone then all_after else rows_after end as after_rows
    from compared

),

final as (

    select
        feed,
        table_name,
        is_feed_gone,
        rows_before,
        rows_after,
        cast(
            {{ quotient("(rows_before - rows_after) * 100", "rows_before") }} as decimal(18, 2)
        ) as shrunk_pct,
        at_most_pct,
        month
    from judged
    where
        at_most_pct < 100
        and before_rows > after_rows
        and (
            after_rows = 0
            or before_rows - after_rows
            > {{ floor_div("before_rows * at_most_pct + 99", 100) }}
        )

)

select * from final
