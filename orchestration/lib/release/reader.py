"""Open the published file as a guest: read it, and nothing else on this machine.

Belongs here: the settings under which anything of ours that serves readers opens a release.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.folders import DATABASE, release_folder
from orchestration.settings import Home

#: What the database is called in a connection; BI tools that open the file see the same name.
CATALOG = "tieout"


def open_published(
    home: Home, *, number: int | None = None, memory_limit: str = "1GB", threads: int = 2
) -> duckdb.DuckDBPyConnection:
    """A read-only connection to what is published now; it keeps that release while it is open.

    With a number it is that publication's file, which must be kept. SQL on it cannot read or write
    other files, load extensions, or lift these limits. The symlink is resolved here, so that two
    connections of one process never mix two releases.
    """
    file = home.current_database if number is None else release_folder(home, number) / DATABASE
    if not file.exists():
        raise ReleaseError(
            f"nothing is published at {file}",
            why="no run has passed the gate yet",
            next_step="`tieout status` says what stopped it; `tieout run` tries again",
        )
    return open_release(file, memory_limit=memory_limit, threads=threads)


def open_release(
    database: Path, *, memory_limit: str = "1GB", threads: int = 2
) -> duckdb.DuckDBPyConnection:
    """The same for the file of any publication."""
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": memory_limit,
            "threads": threads,
            # A guest does not spill to disk: what does not fit in its memory fails.
            "temp_directory": "",
        }
    )
    # Attached, not opened: one process may open a file only with one and the same configuration.
    path = str(database.resolve()).replace("'", "''")
    connection.execute(f"attach '{path}' as {CATALOG} (read_only)")
    connection.execute(f"use {CATALOG}")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection
