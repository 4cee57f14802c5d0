"""Verify: is a kept release still, byte for byte and row for row, what was published?

Belongs here: re-computing what a receipt states. The cheap half (SHA-256 of files) is in `promote`,
because a rollback asks it too.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from orchestration.lib.release.content import algorithm, content_sha256, table_lines
from orchestration.lib.release.promote import Publication, damages
from orchestration.settings import Home


@dataclass(frozen=True)
class Verification:
    """The result for one release; `note` says what could not be compared and why."""

    number: int
    is_whole: bool
    damages: tuple[str, ...]
    note: str | None


def verify(home: Home, kept: Publication) -> Verification:
    """Re-compute the SHA-256 of the file and the content hash of its tables."""
    found = damages(home, kept)
    note = None
    if not found:
        path = str(kept.database).replace("'", "''")
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
            connection.execute(f"attach '{path}' as kept (read_only)")
            if algorithm(connection) == kept.receipt.content_algorithm:
                found = _content_damages(connection, kept)
            else:
                note = (
                    f"content hash not compared: it was made by {kept.receipt.content_algorithm}; "
                    "the file's SHA-256 holds"
                )
    return Verification(kept.number, not found, tuple(found), note)


def _content_damages(connection: duckdb.DuckDBPyConnection, kept: Publication) -> list[str]:
    lines = table_lines(connection, "kept")
    if content_sha256(lines) == kept.receipt.content_sha256:
        return []
    sealed = {(line.schema, line.name): line for line in kept.receipt.tables}
    present = {(line.schema, line.name): line for line in lines}
    differing = sorted(
        f"{schema}.{name}"
        for schema, name in sealed.keys() | present.keys()
        if sealed.get((schema, name)) != present.get((schema, name))
    )
    return [f"content differs from the receipt in {', '.join(differing) or 'its total'}"]
