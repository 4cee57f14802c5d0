/*
id: B12
title: No source shrinks
meaning: >
  Every table that a feed delivers has at least as many rows as in the publication before, in all
  and in every month with 20 rows or more, but for the few per cent that its feed tolerates. A load
  that was cut short looks like a quiet month: it would pass every other law, with too small
  figures.
severity: block
unit: rows
forgivable: false
waivable: true
owner: The owner of the feed named in the row
what_to_do: >
  Export the table again, whole, and rerun. If the rows are gone for good (records were deleted, a
  table or a feed is no longer read), say so under `tolerances: shrink:` of the feed with a per
  cent and a reason, 100 where nothing is left, and take it back after the next publication. For a
  feed that is removed, any feed that still delivers the table may say it. An export of the last
  days only belongs in mode append.
*/

-- query: applies
select cast(null as varchar) as reason
where false;

-- query: measure
with

final as (

    select
        cast(0 as bigint) as expected,
        cast(null as bigint) as actual,
        cast(null as bigint) as difference,
        (select count(*) from audit.volume) as checked

)

select * from final;

-- query: offenders
-- What has shrunk, and tables that are in the books without having been counted: the next run would
-- not miss them.
with

shrunk as (

    select
        feed,
        table_name,
        month,
        case
            when is_feed_gone then 'a feed that is not read any more leaves its table short'
            when rows_after = 0 and month is null then 'nothing is left of the table'
            when month is null then 'the table has shrunk'
            else 'a month has shrunk'
        end as problem,
        rows_before,
        rows_after,
        shrunk_pct,
        at_most_pct
    from audit.volume_shrunk

),

not_counted as (

    select
        row.feed,
        row.table_name,
        cast(null as date) as month,
        'rows are in the books and were not counted' as problem,
        row.kept_rows as rows_before,
        0 as rows_after,
        cast(null as decimal(18, 2)) as shrunk_pct,
        cast(null as bigint) as at_most_pct
    from audit.row
    left join audit.volume
        on
            row.feed = volume.feed
            and row.table_name = volume.table_name
    where row.kept_rows > 0 and volume.feed is null

),

problems as (

    select * from shrunk

    union all

    select * from not_counted

),

final as (

    select * from problems
    order by feed, table_name, month nulls first

)

select * from final;
