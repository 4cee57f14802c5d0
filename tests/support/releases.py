"""A tiny company's warehouse and its publication, for the tests of releases and of their readers.

Belongs here: making a warehouse without dbt, a verdict without Great Expectations, and the child
processes that tests kill. Figures are chosen so that a reader can tell a torn release: every table
of publication n carries n.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import duckdb

from expectations.verdict import LawResult, Verdict
from orchestration.lib.lock import run_lock
from orchestration.lib.release.freeze import Candidate, freeze, published_tables
from orchestration.lib.release.promote import Publication, next_number, promote, recover
from orchestration.lib.release.receipt import Receipt
from orchestration.lib.release.seal import Facts, seal
from orchestration.settings import Home

LAWS = ("B1", "B2")


@dataclass
class Books:
    """The figures of one build: rows as the published tables have them."""

    as_of: str = "2026-02-10 00:00:00"
    definition: str = "d1"
    mark: int = 0
    #: campaign_key, cohort_start_date, stage, amount_minor, is_provisional
    balances: list[tuple[str, str, str, int, bool]] = field(default_factory=list)
    #: occurred_at, posted_at, campaign_key, cohort_start_date, from, to, amount_minor, kind
    entries: list[tuple[str, str, str, str, str, str, int, str]] = field(default_factory=list)
    #: lead_id, campaign_key, cohort_start_date, created_at
    leads: list[tuple[str, str, str, str]] = field(default_factory=list)


def write_warehouse(home: Home, books: Books) -> Path:
    """Build the working warehouse and the part of dbt's manifest that freezing reads."""
    home.work.mkdir(parents=True, exist_ok=True)
    home.dbt_target.mkdir(exist_ok=True)
    home.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(home.warehouse), config={"threads": 1}) as connection:
        connection.begin()
        connection.execute(
            """
            create table rpt_stage_balance__campaign_cohort (
                campaign_key varchar not null, cohort_start_date date, stage varchar not null,
                amount_minor bigint not null, is_provisional boolean
            );
            create table fct_dollar_journal__entry (
                occurred_at timestamp, posted_at timestamp, campaign_key varchar,
                cohort_start_date date, from_stage varchar, to_stage varchar,
                amount_minor bigint, kind varchar
            );
            create table fct_lead (
                lead_id varchar, campaign_key varchar, cohort_start_date date, created_at timestamp
            );
            create table dim_mark (mark bigint not null);
            create table audit_run (
                as_of timestamp, company varchar, reporting_currency varchar, time_zone varchar,
                mark bigint
            );
            create table audit_freshness (
                feed varchar, table_name varchar, source varchar, cadence_hours bigint,
                is_daily boolean, newest_at timestamp, age_hours bigint, missing_days bigint,
                first_missing_day date
            );
            create table audit_definition (version varchar, sha256 varchar);
            create table int_private (email varchar);
            insert into int_private values ('someone@example.org');
            insert into audit_freshness values
                ('ads', 'spend', 'Google Ads', 24, true, '2026-02-09 00:00:00', 24, 0, null);
            """
        )
        connection.execute("insert into dim_mark values (?)", [books.mark])
        connection.execute(
            "insert into audit_run values (?, 'Sample Inc', 'USD', 'America/New_York', ?)",
            [books.as_of, books.mark],
        )
        connection.execute("insert into audit_definition values ('1', ?)", [books.definition])
        for table, rows in (
            ("rpt_stage_balance__campaign_cohort", books.balances),
            ("fct_dollar_journal__entry", books.entries),
            ("fct_lead", books.leads),
        ):
            for row in rows:
                connection.execute(
                    f"insert into {table} values ({', '.join('?' * len(row))})", list(row)
                )
        connection.commit()
    manifest = home.dbt_target / "manifest.json"
    manifest.write_text(json.dumps({"nodes": dict(_nodes())}))
    return manifest


def _nodes() -> list[tuple[str, dict[str, Any]]]:
    models = {
        "rpt_stage_balance__campaign_cohort": "main",
        "fct_dollar_journal__entry": "main",
        "fct_lead": "main",
        "dim_mark": "main",
        "audit_run": "audit",
        "audit_freshness": "audit",
        "audit_definition": "audit",
        "int_private": None,
    }
    return [
        (
            f"model.tieout.{name}",
            {
                "name": name,
                "resource_type": "model",
                "alias": name,
                "schema": "main",
                "original_file_path": f"models/{name}.sql",
                "description": f"The {name}.",
                "columns": {"mark": {"description": "It's the mark."}},
                "config": {"meta": {} if place is None else {"publish": place}},
            },
        )
        for name, place in models.items()
    ]


def law_result(law: str, **changed: Any) -> LawResult:
    """A law that holds, or as `changed` says."""
    facts: dict[str, Any] = {
        "law": law,
        "title": f"law {law}",
        "severity": "block",
        "status": "held",
        "reason": None,
        "expected": 5,
        "actual": 5,
        "difference": 0,
        "unit": "minor",
        "currency": "USD",
        "checked": 1,
        "offending_count": 0,
        "offending_rows": [],
        "tolerated": 0,
        "waived": 0,
        "checks": {"rule": True},
        "owner": "RevOps",
        "seconds": 0.01,
    }
    return LawResult(**facts | changed)


def verdict(*results: LawResult) -> Verdict:
    """The verdict over these results; over all laws held when none is given."""
    judged = list(results) or [law_result(law) for law in LAWS]
    return Verdict.of(judged, as_of=None, currency="USD", notes=[], error=None, seconds=0.1)


def small_page(database: Path) -> str:
    """A page that says what its file is, where the real one would take seconds."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return f"<!doctype html><title>{marks(connection)[2]}</title><!-- banner -->\n"


def frozen(home: Home, books: Books) -> Candidate:
    """Build and freeze, as the next publication."""
    manifest = write_warehouse(home, books)
    return freeze(home, published_tables(manifest), next_number(home), threads=2)


def sealed(
    home: Home, books: Books, judged: Verdict | None = None, facts: Facts | None = None
) -> tuple[Candidate, Receipt]:
    """Build, freeze and seal."""
    candidate = frozen(home, books)
    return candidate, seal(
        home, candidate, judged or verdict(), facts or Facts("code-1"), small_page
    )


def publish(home: Home, books: Books | None = None, facts: Facts | None = None) -> Publication:
    """Build, freeze, seal and promote; the mark is the publication's number."""
    found = books or Books()
    found.mark = next_number(home)
    candidate, _ = sealed(home, found, facts=facts)
    return promote(home, candidate.folder, LAWS)


def marks(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, int]:
    """The mark in each schema, read by three statements: all equal, or the release is torn."""
    return tuple(
        connection.execute(query).fetchall()[0][0]
        for query in (
            "select mark from dim_mark",
            "select mark from audit.run",
            "select number from meta.publication",
        )
    )


# --- Children that tests kill or run beside themselves -------------------------------------------

_STEPS = (
    "replace",
    "rename",
    "chmod",
    "fsync",
    "unlink",
    "mkdir",
    "symlink",
    "pwrite",
    "ftruncate",
)


def publish_until_step(root: Path, last_step: int) -> None:
    """Publish, and die by SIGKILL before the given file operation (counted from 0)."""
    home = Home(root)
    done = 0

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal done
            if done == last_step:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            return original(*args, **kwargs)

        return call

    books = Books(mark=next_number(home))
    manifest = write_warehouse(home, books)
    for name in _STEPS:
        setattr(os, name, counted(getattr(os, name)))
    with run_lock(home, "killed in a test"):
        recover(home)
        candidate = freeze(home, published_tables(manifest), next_number(home), threads=1)
        seal(home, candidate, verdict(), Facts("code-1"), small_page)
        promote(home, candidate.folder, LAWS)


def publish_forever(root: Path) -> None:
    """Publish again and again until killed."""
    home = Home(root)
    while True:
        with run_lock(home, "killed in a test"):
            publish(home)


def read_until(root: Path, stop: Event, answer: Path) -> None:
    """Open, read and close what is published, as a BI tool would, until told to stop.

    The pause leaves the publisher some of a small machine's two cores.
    """
    database = str(Home(root).current_database)
    reads, newest = 0, 0
    while not stop.is_set():
        with duckdb.connect(database, read_only=True) as connection:
            one, two, three = marks(connection)
        if not newest <= one == two == three:
            answer.write_text(json.dumps({"torn": [newest, one, two, three]}))
            return
        newest = one
        reads += 1
        stop.wait(0.005)
    answer.write_text(json.dumps({"reads": reads, "newest": newest}))
