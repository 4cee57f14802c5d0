/*
id: B6
title: No row is lost
meaning: >
  Every row of every delivered file is accounted for: it is in the books, merged into another row,
  replaced by a newer one, left out for a stated reason, or set aside because it could not be
  read; and the published tables hold what is in the books. Rows that could not be read stay
  within what was agreed for their table.
severity: block
unit: rows
forgivable: false
waivable: false
owner: The owner of the feed named in the row
what_to_do: >
  Rows set aside are listed with file, line and column in audit.quarantine: correct the export, or
  the column's declared format in sources.yml, and rerun. If so many unreadable rows are normal
  for this table, say so with a reason under `tolerances: quarantine:` of the feed. Rows that do
  not add up are a fault in the models.
*/

-- query: applies
select cast(null as varchar) as reason
where false;

-- query: measure
with

final as (

    select
        cast(coalesce(sum(raw_rows), 0) as bigint) as expected,
        cast(
            coalesce(
                sum(kept_rows + merged_rows + excluded_rows + quarantined_rows + superseded_rows),
                0
            ) as bigint
        ) as actual,
        cast(
            coalesce(
                sum(kept_rows + merged_rows + excluded_rows + quarantined_rows + superseded_rows),
                0
            ) - coalesce(sum(raw_rows), 0)
            as bigint
        ) as difference,
        count(*) as checked
    from audit.row

)

select * from final;

-- query: offenders
with

row_counts as (

    select
        *,
        kept_rows + merged_rows + excluded_rows + quarantined_rows + superseded_rows
            as accounted_rows
    from audit.row

),

tolerances as (

    select
        feed,
        name as table_name,
        min(at_most) as at_most
    from audit.tolerance
    where kind = 'quarantine'
    group by feed, name

),

not_accounted_for as (

    select
        feed,
        table_name,
        'rows do not add up: raw, then kept, merged, left out, set aside or replaced' as problem,
        raw_rows as expected_rows,
        accounted_rows as actual_rows
    from row_counts
    where accounted_rows is distinct from raw_rows

),

beyond_tolerance as (

    select
        row_counts.feed,
        row_counts.table_name,
        'more rows could not be read than were agreed' as problem,
        coalesce(tolerances.at_most, 0) as expected_rows,
        row_counts.quarantined_rows as actual_rows
    from row_counts
    left join tolerances
        on
            row_counts.feed = tolerances.feed
            and row_counts.table_name = tolerances.table_name
    where row_counts.quarantined_rows > coalesce(tolerances.at_most, 0)

),

excluded_for_a_reason as (

    select
        feed,
        table_name,
        sum(rows) as reason_rows
    from audit.row_reason
    where disposition = 'excluded' and trim(coalesce(reason, '')) <> ''
    group by feed, table_name

),

without_a_reason as (

    select
        row_counts.feed,
        row_counts.table_name,
        'rows were left out without a reason' as problem,
        row_counts.excluded_rows as expected_rows,
        coalesce(excluded_for_a_reason.reason_rows, 0) as actual_rows
    from row_counts
    left join excluded_for_a_reason
        on
            row_counts.feed = excluded_for_a_reason.feed
            and row_counts.table_name = excluded_for_a_reason.table_name
    where row_counts.excluded_rows is distinct from coalesce(excluded_for_a_reason.reason_rows, 0)

),

-- The count of kept rows beside the published tables: a table emptied later must not pass.
published as (

    select
        'leads' as table_name,
        'fct_lead' as published_table,
        count(*) as published_rows
    from main.fct_lead

    union all

    select
        'leads' as table_name,
        'fct_identity__record' as published_table,
        count(*) as published_rows
    from main.fct_identity__record
    where entity = 'lead' and not is_merged

    union all

    select
        'contacts' as table_name,
        'fct_identity__record' as published_table,
        count(*) as published_rows
    from main.fct_identity__record
    where entity = 'contact' and not is_merged

    union all

    select
        'touches' as table_name,
        'rpt_identity__match' as published_table,
        coalesce(sum(records), 0) as published_rows
    from main.rpt_identity__match
    where entity = 'touch' and party = 'person'

    union all

    select
        'opportunities' as table_name,
        'fct_opportunity' as published_table,
        count(*) as published_rows
    from main.fct_opportunity

    union all

    select
        'campaigns' as table_name,
        'dim_campaign' as published_table,
        count(*) as published_rows
    from main.dim_campaign
    where is_declared

    union all

    select
        'merges' as table_name,
        'dim_merge' as published_table,
        count(*) as published_rows
    from main.dim_merge
    where stated_by = 'merges' and reason = 'merged'

    union all

    select
        'revenue' as table_name,
        'fct_revenue__item' as published_table,
        count(*) as published_rows
    from main.fct_revenue__item

),

kept as (

    select
        table_name,
        min(feed) as feed,
        sum(kept_rows) as kept_rows
    from row_counts
    group by table_name

),

not_published as (

    select
        kept.feed,
        published.table_name,
        'the published table does not hold the rows that were kept: '
        || published.published_table as problem,
        coalesce(kept.kept_rows, 0) as expected_rows,
        published.published_rows as actual_rows
    from published
    left join kept on published.table_name = kept.table_name
    where published.published_rows is distinct from coalesce(kept.kept_rows, 0)

),

problems as (

    select * from not_accounted_for

    union all

    select * from beyond_tolerance

    union all

    select * from without_a_reason

    union all

    select * from not_published

),

final as (

    select
        *,
        actual_rows - expected_rows as difference_rows
    from problems
    order by feed, table_name, problem

)

select * from final;
