"""What changed between two releases for periods that the earlier one had already reported.

Belongs here: the comparison and the rule that names a cause. Does not belong here: how it is shown
(`orchestration.cli.publications`) and where it is kept (`seal` writes `meta.change`).

Compared are the balance of every campaign, cohort and stage (in minor units) and the number of
leads of every cohort, for cohorts whose period the earlier release reported. Every difference gets
one cause. The journal is the witness: its entries posted since the earlier release's as-of time
explain a part of a cell's difference; what they leave unexplained means that an entry of the past
is no longer what it was ("rewritten").

1. Nothing rewritten: `restated spend` if restatement entries touched the cell, else `late data` if
   spend of an already reported day was posted late, else `progress`: leads moved, were created, or
   spend went on.
2. Rewritten: the first that applies of
   `changed definition`: the definition of qualified has another hash;
   `amended plan`: the plan has another version;
   `restated spend`: the cohort has restatement entries posted since (its leads' shares follow);
   `late data`: the cohort has late spend, or another number of leads created before the earlier
   as-of time;
   `progress`: the cohort's period was still open, and it got spend or leads since, which divides
   its spend anew;
   `changed code`: the code has another version;
   `late data`: same code and rules give another past only from other input.

Lead counts: explained by leads created since is `progress`; else `changed definition` (it excludes
test records) as above; else `changed code` if the code changed and time did not; else `late data`.

One cause a cell is a choice: where several meet, the one is named that somebody must look at first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import duckdb

from orchestration.lib.release.content import literal, quoted
from orchestration.lib.release.receipt import naive_utc

Cause = Literal[
    "restated spend", "late data", "changed definition", "changed code", "amended plan", "progress"
]

BALANCE = "rpt_stage_balance__campaign_cohort"
JOURNAL = "fct_dollar_journal__entry"
LEAD = "fct_lead"

_NEEDED = {
    BALANCE: {"campaign_key", "cohort_start_date", "stage", "amount_minor", "is_provisional"},
    JOURNAL: {
        "campaign_key",
        "cohort_start_date",
        "occurred_at",
        "posted_at",
        "kind",
        "from_stage",
        "to_stage",
        "amount_minor",
    },
    LEAD: {"campaign_key", "cohort_start_date", "created_at"},
}


@dataclass(frozen=True)
class Side:
    """One release in a comparison: its catalog in the connection, and its versions."""

    catalog: str
    as_of: str
    code_version: str
    plan_version: str | None


@dataclass(frozen=True)
class Change:
    """One figure that is not what it was; columns as in `meta.change`."""

    table_name: str
    measure: str
    campaign_key: str | None
    cohort_start_date: date | None
    stage: str | None
    was_provisional: bool | None
    before_value: int
    after_value: int
    difference: int
    cause: Cause


#: The columns of `meta.change`, which are those of `Change`.
COLUMNS = """
    table_name varchar not null,
    measure varchar not null,
    campaign_key varchar,
    cohort_start_date date,
    stage varchar,
    was_provisional boolean,
    before_value bigint not null,
    after_value bigint not null,
    difference bigint not null,
    cause varchar not null
"""


def comparison(
    connection: duckdb.DuckDBPyConnection, before: Side, after: Side
) -> tuple[str | None, tuple[str, ...]]:
    """The query that gives the changes, and the tables that could not be compared.

    A table is not compared where either release lacks it or a column of it; the query is None when
    nothing can be.
    """
    lacking = tuple(
        table
        for table, columns in _NEEDED.items()
        if not all(columns <= _columns(connection, side.catalog, table) for side in (before, after))
    )
    # An as-of time may go back too: then the older books are those of `after`.
    is_forward = naive_utc(before.as_of) <= naive_utc(after.as_of)
    earlier, later = (before, after) if is_forward else (after, before)
    words = {
        "before": quoted(before.catalog),
        "after": quoted(after.catalog),
        "earlier": quoted(earlier.catalog),
        "later": quoted(later.catalog),
        "sign": "1" if is_forward else "-1",
        "since": f"timestamp '{naive_utc(earlier.as_of)}'",
        "is_same_time": _boolean(naive_utc(before.as_of) == naive_utc(after.as_of)),
        "is_definition_changed": _boolean(
            _definition(connection, before.catalog) != _definition(connection, after.catalog)
        ),
        "is_plan_changed": _boolean(before.plan_version != after.plan_version),
        "is_code_changed": _boolean(before.code_version != after.code_version),
    }
    parts = []
    if not lacking:
        parts.append(_BALANCES.format(**words))
    if LEAD not in lacking:
        parts.append(_LEADS.format(**words))
    if not parts:
        return None, lacking
    union = "\nunion all\n".join(f"(\n{part}\n)" for part in parts)
    ordered = "order by table_name, cohort_start_date, campaign_key, stage"
    return f"select * from (\n{union}\n)\n{ordered}", lacking


_BALANCES = """
with

balances_before as (

    select * from {before}.main.rpt_stage_balance__campaign_cohort

),

balances_after as (

    select * from {after}.main.rpt_stage_balance__campaign_cohort

),

entries as (

    select * from {later}.main.fct_dollar_journal__entry
    where posted_at > {since}

),

leads_earlier as (

    select * from {earlier}.main.fct_lead

),

leads_later as (

    select * from {later}.main.fct_lead
    where created_at <= {since}

),

reported as (

    select
        cohort_start_date,
        bool_or(is_provisional) as was_provisional
    from balances_before
    group by cohort_start_date

),

cells as (

    select
        coalesce(balances_before.campaign_key, balances_after.campaign_key) as campaign_key,
        coalesce(balances_before.cohort_start_date, balances_after.cohort_start_date)
            as cohort_start_date,
        coalesce(balances_before.stage, balances_after.stage) as stage,
        coalesce(balances_before.amount_minor, 0) as before_value,
        coalesce(balances_after.amount_minor, 0) as after_value
    from balances_before
    full join balances_after
        on
            balances_before.campaign_key = balances_after.campaign_key
            and balances_before.cohort_start_date
            is not distinct from balances_after.cohort_start_date
            and balances_before.stage = balances_after.stage

),

differences as (

    select
        cells.*,
        reported.was_provisional
    from cells
    inner join reported
        on cells.cohort_start_date is not distinct from reported.cohort_start_date
    where cells.before_value <> cells.after_value

),

named_entries as (

    select
        campaign_key,
        cohort_start_date,
        from_stage,
        to_stage,
        {sign} * amount_minor as amount_minor,
        case
            when kind in ('restatement', 'restated_share') then 'restated'
            when kind in ('spend', 'overhead') and occurred_at <= {since} then 'late'
            else 'progress'
        end as nature
    from entries

),

sides as (

    select
        campaign_key,
        cohort_start_date,
        to_stage as stage,
        nature,
        amount_minor
    from named_entries

    union all

    select
        campaign_key,
        cohort_start_date,
        from_stage as stage,
        nature,
        -amount_minor as amount_minor
    from named_entries

),

movements as (

    select
        campaign_key,
        cohort_start_date,
        stage,
        sum(amount_minor) as explained,
        bool_or(nature = 'restated') as is_restated,
        bool_or(nature = 'late') as is_late
    from sides
    group by campaign_key, cohort_start_date, stage

),

cohort_entries as (

    select
        campaign_key,
        cohort_start_date,
        bool_or(nature = 'restated') as is_restated,
        bool_or(nature = 'late') as is_late
    from named_entries
    group by campaign_key, cohort_start_date

),

known_leads as (

    select
        campaign_key,
        cohort_start_date,
        sum(side) as difference
    from (
        select
            campaign_key,
            cohort_start_date,
            1 as side
        from leads_later

        union all

        select
            campaign_key,
            cohort_start_date,
            -1 as side
        from leads_earlier
    )
    group by campaign_key, cohort_start_date

),

explained as (

    select
        differences.*,
        differences.after_value - differences.before_value as difference,
        differences.after_value - differences.before_value - coalesce(movements.explained, 0) <> 0
            as is_rewritten,
        coalesce(movements.is_restated, false) as is_restated,
        coalesce(movements.is_late, false) as is_late,
        coalesce(cohort_entries.is_restated, false) as is_cohort_restated,
        coalesce(cohort_entries.is_late, false) or coalesce(known_leads.difference, 0) <> 0
            as is_cohort_late,
        cohort_entries.campaign_key is not null as is_cohort_moved
    from differences
    left join movements
        on
            differences.campaign_key = movements.campaign_key
            and differences.cohort_start_date is not distinct from movements.cohort_start_date
            and differences.stage = movements.stage
    left join cohort_entries
        on
            differences.campaign_key = cohort_entries.campaign_key
            and differences.cohort_start_date
            is not distinct from cohort_entries.cohort_start_date
    left join known_leads
        on
            differences.campaign_key = known_leads.campaign_key
            and differences.cohort_start_date is not distinct from known_leads.cohort_start_date

),

final as (

    select
        'rpt_stage_balance__campaign_cohort' as table_name,
        'amount_minor' as measure,
        campaign_key,
        cohort_start_date,
        stage,
        was_provisional,
        cast(before_value as bigint) as before_value,
        cast(after_value as bigint) as after_value,
        cast(difference as bigint) as difference,
        case
            when not is_rewritten and is_restated then 'restated spend'
            when not is_rewritten and is_late then 'late data'
            when not is_rewritten then 'progress'
            when {is_definition_changed} then 'changed definition'
            when {is_plan_changed} then 'amended plan'
            when is_cohort_restated then 'restated spend'
            when is_cohort_late then 'late data'
            when was_provisional and is_cohort_moved then 'progress'
            when {is_code_changed} then 'changed code'
            else 'late data'
        end as cause
    from explained

)

select * from final
"""

_LEADS = """
with

leads_before as (

    select * from {before}.main.fct_lead

),

leads_after as (

    select * from {after}.main.fct_lead

),

leads_later as (

    select * from {later}.main.fct_lead

),

counts_before as (

    select
        cohort_start_date,
        count(*) as leads
    from leads_before
    group by cohort_start_date

),

counts_after as (

    select
        cohort_start_date,
        count(*) as leads
    from leads_after
    group by cohort_start_date

),

counts_since as (

    select
        cohort_start_date,
        {sign} * count(*) as leads
    from leads_later
    where created_at > {since}
    group by cohort_start_date

),

differences as (

    select
        counts_before.cohort_start_date,
        counts_before.leads as before_value,
        coalesce(counts_after.leads, 0) as after_value,
        coalesce(counts_since.leads, 0) as created_since
    from counts_before
    left join counts_after
        on counts_before.cohort_start_date is not distinct from counts_after.cohort_start_date
    left join counts_since
        on counts_before.cohort_start_date is not distinct from counts_since.cohort_start_date
    where counts_before.leads <> coalesce(counts_after.leads, 0)

),

final as (

    select
        'fct_lead' as table_name,
        'leads' as measure,
        cast(null as varchar) as campaign_key,
        cohort_start_date,
        cast(null as varchar) as stage,
        cast(null as boolean) as was_provisional,
        cast(before_value as bigint) as before_value,
        cast(after_value as bigint) as after_value,
        cast(after_value - before_value as bigint) as difference,
        case
            when after_value - before_value = created_since then 'progress'
            when {is_definition_changed} then 'changed definition'
            when {is_code_changed} and {is_same_time} then 'changed code'
            else 'late data'
        end as cause
    from differences

)

select * from final
"""


def _columns(connection: duckdb.DuckDBPyConnection, catalog: str, table: str) -> set[str]:
    rows = connection.execute(
        f"""
        select column_name from duckdb_columns()
        where database_name = {literal(catalog)} and schema_name = 'main'
            and table_name = {literal(table)}
        """
    ).fetchall()
    return {name for (name,) in rows}


def _definition(connection: duckdb.DuckDBPyConnection, catalog: str) -> list[tuple[str, ...]]:
    """Versions and hashes of the definition of qualified that the release was made with."""
    return connection.execute(
        f"select version, sha256 from {quoted(catalog)}.audit.definition order by version"
    ).fetchall()


def _boolean(value: bool) -> str:
    return "true" if value else "false"
