"""Diff: two kept releases side by side: versions, laws, tables, and figures already reported.

Belongs here: comparing any two. `meta.change` of a release holds the same comparison with the one
that readers saw before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from orchestration.lib.release.change import Change, Side, comparison
from orchestration.lib.release.promote import Publication


@dataclass(frozen=True)
class TableDiff:
    """One table whose rows or schema differ; None where a release does not have it."""

    table: str
    rows_before: int | None
    rows_after: int | None


@dataclass(frozen=True)
class LawDiff:
    """One law whose result differs; None where a release was not judged by it."""

    law: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class VersionDiff:
    """One fact of the receipts that differs (as of, plan version, code version, engine)."""

    fact: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ReleaseDiff:
    """All that differs between two releases; `has_same_content` compares the content hashes."""

    before: int
    after: int
    has_same_content: bool
    versions: tuple[VersionDiff, ...]
    laws: tuple[LawDiff, ...]
    tables: tuple[TableDiff, ...]
    changes: tuple[Change, ...]
    not_compared: tuple[str, ...]


def diff(before: Publication, after: Publication) -> ReleaseDiff:
    """What `after` has otherwise than `before`; either may be the newer one."""
    changes, not_compared = _changes(before, after)
    return ReleaseDiff(
        before=before.number,
        after=after.number,
        has_same_content=(
            (before.receipt.content_algorithm, before.receipt.content_sha256)
            == (after.receipt.content_algorithm, after.receipt.content_sha256)
        ),
        versions=tuple(
            VersionDiff(fact, getattr(before.receipt, fact), getattr(after.receipt, fact))
            for fact in ("as_of", "plan_version", "code_version", "engine", "content_algorithm")
            if getattr(before.receipt, fact) != getattr(after.receipt, fact)
        ),
        laws=_laws(before, after),
        tables=_tables(before, after),
        changes=changes,
        not_compared=not_compared,
    )


def _laws(before: Publication, after: Publication) -> tuple[LawDiff, ...]:
    old = {line.law: line.status for line in before.receipt.laws}
    new = {line.law: line.status for line in after.receipt.laws}
    return tuple(
        LawDiff(law, old.get(law), new.get(law))
        for law in sorted(old.keys() | new.keys())
        if old.get(law) != new.get(law)
    )


def _tables(before: Publication, after: Publication) -> tuple[TableDiff, ...]:
    old = {(line.schema, line.name): line for line in before.receipt.tables}
    new = {(line.schema, line.name): line for line in after.receipt.tables}
    return tuple(
        TableDiff(
            f"{key[0]}.{key[1]}",
            old[key].rows if key in old else None,
            new[key].rows if key in new else None,
        )
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    )


def _changes(before: Publication, after: Publication) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        for name, release in (("before", before), ("after", after)):
            path = str(release.database).replace("'", "''")
            connection.execute(f"attach '{path}' as \"{name}\" (read_only)")
        query, not_compared = comparison(
            connection, before=_side("before", before), after=_side("after", after)
        )
        if query is None:
            return (), not_compared
        rows = connection.execute(query).fetchall()
        return tuple(Change(*row) for row in rows), not_compared


def _side(catalog: str, release: Publication) -> Side:
    receipt = release.receipt
    return Side(catalog, receipt.as_of, receipt.code_version, receipt.plan_version)
