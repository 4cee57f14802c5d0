"""Seal: put the verdict into the candidate, close it for good, and write the receipt.

Belongs here: the schema `meta` and the receipt. Does not belong here: the verdict itself
(`expectations`), the comparison with the release before (`change`).

`meta` is no part of the content hash: it holds times and durations, and the same books sealed twice
must have the same content. It is part of the file, so the SHA-256 covers it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lib.release import change
from orchestration.lib.release.content import literal, quoted
from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.folders import (
    DATABASE,
    FROZEN,
    RECEIPT,
    SCORECARD,
    current_number,
    file_sha256,
    release_folder,
    sync,
    write_durably,
)
from orchestration.lib.release.freeze import Candidate, attach_candidate, demand_closed
from orchestration.lib.release.receipt import (
    FORMAT,
    FreshnessLine,
    Receipt,
    VerdictLike,
    instant,
    law_lines,
    naive_utc,
    read_receipt,
)
from orchestration.lib.sources.canonical import TABLES
from orchestration.settings import Home

#: Names that mean a person wherever they stand (`account` is also an ad account, so not that).
_PERSONAL = frozenset(
    column.name for table in TABLES.values() for column in table.columns if column.personal
) - frozenset(
    column.name for table in TABLES.values() for column in table.columns if not column.personal
)
_E_MAIL = re.compile(r"[^\s@,;<>\"']+@[^\s@,;<>\"']+\.[^\s@,;<>\"']+")


@dataclass(frozen=True)
class Facts:
    """What the file cannot know of itself."""

    code_version: str
    plan_version: str | None = None
    #: Rows and last hash of each register of the plan.
    plan_registers: dict[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Run:
    """What the run was asked to do, as the judged tables say (`audit.run`)."""

    as_of: str
    company: str
    reporting_currency: str
    time_zone: str


def seal(
    home: Home,
    candidate: Candidate,
    verdict: VerdictLike,
    facts: Facts,
    draw: Callable[[Path], str],
) -> Receipt:
    """Write `meta`, close the file, draw its page and write its receipt.

    The bytes must still be those that were frozen and judged. A candidate that did not pass gets a
    receipt too, but no page: nobody is to read its figures.

    Args:
        home: the state folder.
        candidate: what was frozen.
        verdict: what the gate found about it.
        facts: what the file cannot know of itself.
        draw: makes the page of a closed file; if it raises, there is no receipt, and nothing can
            be published.
    """
    found = file_sha256(demand_closed(candidate.database))
    if found != candidate.file_sha256:
        raise ReleaseError(
            f"{candidate.database} is not the file that was frozen",
            why=f"its SHA-256 is {found}, frozen was {candidate.file_sha256}",
            next_step="run the whole job again: `tieout run`",
        )
    previous = current_number(home)
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        attach_candidate(connection, candidate.database)
        if previous is not None:
            path = str(release_folder(home, previous) / DATABASE).replace("'", "''")
            connection.execute(f"attach '{path}' as previous (read_only)")
        connection.begin()
        run = _run(connection)
        sealed_at = instant(datetime.now(UTC))
        connection.execute("create schema candidate.meta")
        _write_laws(connection, verdict)
        not_compared = _write_changes(connection, home, previous, run, facts)
        freshness = _write_freshness(connection)
        _write_publication(connection, candidate, previous, run, facts, sealed_at, verdict.passed)
        changes = dict(
            connection.execute(
                "select cause, count(*) from candidate.meta.change group by cause order by cause"
            ).fetchall()
        )
        connection.commit()
        connection.execute("checkpoint candidate")
        connection.execute("detach candidate")
    database = demand_closed(candidate.database)
    sync(database)
    scorecard_sha256 = None
    if verdict.passed:
        write_durably(candidate.folder / SCORECARD, draw(database))
        scorecard_sha256 = file_sha256(candidate.folder / SCORECARD)
    receipt = Receipt(
        format=FORMAT,
        number=candidate.number,
        previous=previous,
        passed=verdict.passed,
        as_of=run.as_of,
        sealed_at=sealed_at,
        plan_version=facts.plan_version,
        code_version=facts.code_version,
        company=run.company,
        reporting_currency=run.reporting_currency,
        engine=candidate.engine,
        content_algorithm=candidate.content_algorithm,
        content_sha256=candidate.content_sha256,
        file_sha256=file_sha256(database),
        file_bytes=database.stat().st_size,
        laws=law_lines(verdict),
        tables=candidate.tables,
        freshness=freshness,
        changes=changes,
        not_compared=not_compared,
        plan_registers=facts.plan_registers,
        scorecard_sha256=scorecard_sha256,
    )
    write_durably(candidate.folder / RECEIPT, receipt.to_json())
    (candidate.folder / FROZEN).unlink()
    return receipt


def facts_of(database: Path, code_version: str) -> Facts:
    """What a candidate is made with: this code, and the plan that its books are held against.

    The plan's version is `v2:<sha256>`: the signed one that began last on the day of `as_of` in the
    reporting zone; None where there is none.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute(
            """
            select 'v' || versions.version || ':' || versions.sha256
            from audit.plan_version as versions
            cross join audit.run
            where versions.is_signed and versions.effective_from <= run.as_of_date
            order by versions.effective_from desc, versions.version desc
            limit 1
            """
        ).fetchone()
        registers = connection.execute(
            "select register, rows, sha256 from audit.plan_register order by register"
        ).fetchall()
    return Facts(
        code_version=code_version,
        plan_version=None if found is None else str(found[0]),
        plan_registers={name: (rows, sha256) for name, rows, sha256 in registers},
    )


def without_personal_data(row: dict[str, Any]) -> dict[str, Any]:
    """An offending row as it may be published: no personal columns, no e-mail in any text.

    The laws read tables that hold none; a raw value that nobody mapped may still be one.
    """
    return {
        name: _E_MAIL.sub("(e-mail)", value) if isinstance(value, str) else value
        for name, value in row.items()
        if name.lower() not in _PERSONAL
    }


def _run(connection: duckdb.DuckDBPyConnection) -> _Run:
    rows = connection.execute(
        "select as_of, company, reporting_currency, time_zone from candidate.audit.run"
    ).fetchall()
    if len(rows) != 1:
        raise ReleaseError(
            f"audit.run has {len(rows)} rows",
            why="it says what the run was asked to do, and a run is one",
            next_step="look at model audit_run and its input `run_parameter`",
        )
    as_of, company, reporting_currency, time_zone = rows[0]
    return _Run(instant(as_of), company, reporting_currency, time_zone)


def _write_laws(connection: duckdb.DuckDBPyConnection, verdict: VerdictLike) -> None:
    connection.execute(
        """
        create table candidate.meta.law_result (
            law varchar not null,
            title varchar not null,
            severity varchar not null,
            status varchar not null,
            reason varchar,
            expected bigint,
            actual bigint,
            difference bigint,
            unit varchar,
            currency varchar,
            checked bigint,
            offending_count bigint not null,
            tolerated bigint not null,
            waived bigint not null,
            owner varchar not null,
            seconds double not null
        )
        """
    )
    connection.execute(
        """
        create table candidate.meta.law_row (
            law varchar not null,
            row_number bigint not null,
            row_json varchar not null
        )
        """
    )
    for result in verdict.results:
        _insert(
            connection,
            "law_result",
            [
                result.law,
                result.title,
                result.severity,
                result.status,
                result.reason,
                result.expected,
                result.actual,
                result.difference,
                result.unit,
                result.currency,
                result.checked,
                result.offending_count,
                result.tolerated,
                result.waived,
                result.owner,
                result.seconds,
            ],
        )
        rows = [
            json.dumps(without_personal_data(row), ensure_ascii=False, default=str)
            for row in result.offending_rows
        ]
        _insert(
            connection,
            "law_row",
            *((result.law, number, row) for number, row in enumerate(rows, start=1)),
        )


def _write_changes(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    previous: int | None,
    run: _Run,
    facts: Facts,
) -> tuple[str, ...]:
    """Fill `meta.change` against what readers see now; the first publication changes nothing."""
    connection.execute(f"create table candidate.meta.change ({change.COLUMNS})")
    if previous is None:
        return ()
    old = read_receipt(release_folder(home, previous) / RECEIPT)
    query, not_compared = change.comparison(
        connection,
        before=change.Side("previous", old.as_of, old.code_version, old.plan_version),
        after=change.Side("candidate", run.as_of, facts.code_version, facts.plan_version),
    )
    if query is not None:
        connection.execute(f"insert into candidate.meta.change {query}")
    return not_compared


def _write_freshness(connection: duckdb.DuckDBPyConnection) -> tuple[FreshnessLine, ...]:
    connection.execute(
        """
        create table candidate.meta.freshness as
        select
            feed,
            table_name,
            source,
            cadence_hours,
            is_daily,
            newest_at,
            age_hours,
            missing_days,
            first_missing_day,
            coalesce(age_hours > cadence_hours, newest_at is null and cadence_hours is not null)
            or (is_daily and missing_days > 0) as is_late
        from candidate.audit.freshness
        order by feed, table_name, source
        """
    )
    rows = connection.execute(
        "select feed, table_name, source, newest_at, cadence_hours from candidate.meta.freshness"
    ).fetchall()
    return tuple(
        FreshnessLine(feed, table, source, None if newest is None else instant(newest), cadence)
        for feed, table, source, newest, cadence in rows
    )


def _write_publication(
    connection: duckdb.DuckDBPyConnection,
    candidate: Candidate,
    previous: int | None,
    run: _Run,
    facts: Facts,
    sealed_at: str,
    passed: bool,
) -> None:
    connection.execute(
        """
        create table candidate.meta.publication (
            number bigint not null,
            previous_number bigint,
            as_of timestamp not null,
            sealed_at timestamp not null,
            has_passed boolean not null,
            company varchar not null,
            reporting_currency varchar not null,
            time_zone varchar not null,
            plan_version varchar,
            code_version varchar not null,
            engine varchar not null,
            content_algorithm varchar not null,
            content_sha256 varchar not null
        )
        """
    )
    _insert(
        connection,
        "publication",
        [
            candidate.number,
            previous,
            naive_utc(run.as_of),
            naive_utc(sealed_at),
            passed,
            run.company,
            run.reporting_currency,
            run.time_zone,
            facts.plan_version,
            facts.code_version,
            candidate.engine,
            candidate.content_algorithm,
            candidate.content_sha256,
        ],
    )
    for (table, column), text in _COMMENTS.items():
        target = quoted("candidate", "meta", table, column)
        connection.execute(f"comment on column {target} is {literal(text)}")


def _insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    *rows: Sequence[str | int | float | datetime | None],
) -> None:
    if rows:
        written = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
        connection.execute(f"insert into candidate.meta.{table} values {written}")


_COMMENTS = {
    ("publication", "number"): "rises by one with every publication; never used twice",
    ("publication", "previous_number"): "what readers saw when this one was made; null at first",
    ("publication", "as_of"): "the books are as they stood then (UTC)",
    ("publication", "sealed_at"): "when this file was closed; readers saw it moments later (UTC)",
    ("publication", "content_sha256"): "of all tables of main and audit; equal books, equal hash",
    ("law_row", "row_json"): "one offending row (at most 200 a law) as JSON, no personal data",
    ("change", "cause"): "the rule is in docs/how-a-run-goes.md",
    ("change", "was_provisional"): "the cohort's period was still open in the release before",
    ("freshness", "is_late"): "older than its cadence, or a daily table with missing days",
}
