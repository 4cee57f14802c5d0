"""Freeze: copy the published tables out of the working warehouse into a candidate file.

Belongs here: which tables are published, the copy, the candidate as the gate gets it. Does not
belong here: the verdict (`seal`) and showing it to anybody (`promote`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lib.release.content import (
    algorithm,
    content_sha256,
    literal,
    quoted,
    table_lines,
)
from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.folders import (
    DATABASE,
    FROZEN,
    file_sha256,
    remove_folder,
    write_durably,
)
from orchestration.lib.release.receipt import TableLine
from orchestration.settings import Home, memory_limit

#: The oldest storage that notices a foreign .wal, and the newest that every DuckDB since 1.4 reads.
STORAGE_VERSION = "v1.4.0"
_AUDIT_PREFIX = "audit_"


@dataclass(frozen=True)
class PublishedTable:
    """One table of the release: where dbt built it, what readers call it, what they are told."""

    schema: str
    name: str
    source_schema: str
    source_name: str
    primary_key: tuple[str, ...]
    description: str
    column_descriptions: dict[str, str]


@dataclass(frozen=True)
class Candidate:
    """A frozen release that no reader knows; `file_sha256` is that of the bytes to be judged."""

    folder: Path
    number: int
    engine: str
    content_algorithm: str
    content_sha256: str
    file_sha256: str
    tables: tuple[TableLine, ...]

    @property
    def database(self) -> Path:
        """The file that the gate judges."""
        return self.folder / DATABASE

    @property
    def rows(self) -> int:
        """Rows over all tables."""
        return sum(table.rows for table in self.tables)


def published_tables(manifest_path: Path) -> list[PublishedTable]:
    """The models that dbt's manifest marks with `config.meta.publish`, by schema and name."""
    manifest = json.loads(manifest_path.read_text())
    tables = [
        _published_table(manifest_path, node)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and "publish" in node["config"].get("meta", {})
    ]
    if not tables:
        raise ReleaseError(
            f"{manifest_path} marks no model as published",
            why="no model has `config: meta: {publish: main}`",
            next_step="parse the dbt project again; if it stays so, the models' yml lost the mark",
        )
    return sorted(tables, key=lambda table: (table.schema, table.name))


def freeze(
    home: Home, tables: list[PublishedTable], number: int, *, threads: int | None = None
) -> Candidate:
    """Copy the tables set-based into `work/candidate/`; what a killed run left there is removed.

    The warehouse is attached read-only: whoever wrote it must have closed it.
    """
    remove_folder(home.candidate)
    home.candidate.mkdir(parents=True)
    database = home.candidate / DATABASE
    settings: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "temp_directory": str(home.work / "spill"),
        "memory_limit": memory_limit(),
    }
    if threads is not None:
        settings["threads"] = threads
    with duckdb.connect(config=settings) as connection:
        connection.execute(f"attach {literal(str(home.warehouse))} as warehouse (read_only)")
        attach_candidate(connection, database)
        # One transaction: the .wal is synced once, not once a table.
        connection.begin()
        connection.execute("create schema candidate.audit")
        for table in tables:
            _copy(connection, table)
        connection.commit()
        connection.execute("checkpoint candidate")
        lines = table_lines(connection, "candidate")
        name = algorithm(connection)
        connection.execute("detach candidate")
    candidate = Candidate(
        folder=home.candidate,
        number=number,
        engine=f"duckdb {duckdb.__version__}",
        content_algorithm=name,
        content_sha256=content_sha256(lines),
        file_sha256=file_sha256(demand_closed(database)),
        tables=lines,
    )
    frozen = asdict(candidate) | {"folder": None}
    write_durably(home.candidate / FROZEN, json.dumps(frozen, indent=1) + "\n")
    return candidate


def load_candidate(home: Home) -> Candidate:
    """The frozen candidate of this home, for a step that runs in another process."""
    path = home.candidate / FROZEN
    if not path.exists():
        raise ReleaseError(
            f"there is no frozen candidate in {home.candidate}",
            why="nothing was frozen, or it was sealed already",
            next_step="run the whole job: `tieout run`",
        )
    fields = json.loads(path.read_text())
    tables = tuple(TableLine(**line) for line in fields["tables"])
    return Candidate(**fields | {"folder": home.candidate, "tables": tables})


def attach_candidate(connection: duckdb.DuckDBPyConnection, database: Path) -> None:
    """Attach the candidate for writing, as `candidate`, in the storage that readers can open."""
    connection.execute(
        f"attach {literal(str(database))} as candidate (storage_version '{STORAGE_VERSION}')"
    )


def demand_closed(database: Path) -> Path:
    """The file, or an error if changes to it are still in a .wal beside it."""
    wal = database.with_name(database.name + ".wal")
    if wal.exists():
        raise ReleaseError(
            f"{wal} is left beside the candidate",
            why="something else has the candidate open",
            next_step="close it and run again: `tieout run`",
        )
    return database


def _published_table(manifest_path: Path, node: dict[str, Any]) -> PublishedTable:
    meta = node["config"]["meta"]
    if meta["publish"] not in {"main", "audit"}:
        raise ReleaseError(
            f"model {node['name']} is published to {meta['publish']!r}",
            why=f"{manifest_path}: meta.publish knows main and audit",
            next_step=f"correct `publish` in the yml of {node['original_file_path']}",
        )
    alias: str = node["alias"]
    is_audit = meta["publish"] == "audit"
    return PublishedTable(
        schema=meta["publish"],
        name=alias.removeprefix(_AUDIT_PREFIX) if is_audit else alias,
        source_schema=node["schema"],
        source_name=alias,
        primary_key=tuple(meta.get("primary_key", ())),
        description=node.get("description", ""),
        column_descriptions={
            name: column.get("description", "") for name, column in node["columns"].items()
        },
    )


def _copy(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    """One table: its columns with the warehouse's NOT NULLs, its rows, its comments.

    Declaring NOT NULL before the copy is free (10 million rows: 3.9 s against 4.0 s without). A
    primary key is not declared: its index would cost more than the copy, and law B10 judges keys.
    """
    columns = connection.execute(
        f"""
        select column_name, data_type, is_nullable
        from duckdb_columns()
        where database_name = 'warehouse' and schema_name = {literal(table.source_schema)}
            and table_name = {literal(table.source_name)}
        order by column_index
        """
    ).fetchall()
    if not columns:
        raise ReleaseError(
            f"the warehouse has no {table.source_schema}.{table.source_name}",
            why="dbt's manifest publishes it, but this run did not build it",
            next_step="run the whole job: `tieout run`",
        )
    target = quoted("candidate", table.schema, table.name)
    source = quoted("warehouse", table.source_schema, table.source_name)
    declared = ", ".join(
        f"{quoted(name)} {data_type}{'' if is_nullable else ' not null'}"
        for name, data_type, is_nullable in columns
    )
    connection.execute(f"create table {target} ({declared})")
    connection.execute(f"insert into {target} select * from {source}")
    if table.description:
        connection.execute(f"comment on table {target} is {literal(table.description)}")
    for name, *_ in columns:
        if description := table.column_descriptions.get(name):
            column = f"{target}.{quoted(name)}"
            connection.execute(f"comment on column {column} is {literal(description)}")
