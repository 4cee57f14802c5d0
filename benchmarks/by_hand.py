"""The same work by hand: one DuckDB script, and the process that runs it.

The script is plain SQL (`duckdb < by_hand.sql` runs it too). It reads the same files into the same
types, runs the compiled SQL of the models in their order, writes the release in the same storage
version and asks the laws' queries. It has none of what surrounds that in a run: no quarantine, no
data tests, no lineage, no history, no proof of what was published.

Run as a module it executes a script block by block and prints when each began and ended:
`python -m benchmarks.by_hand SCRIPT`. Does not belong here: what is measured (`sides`).
"""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

import duckdb

from expectations.laws import QUERIES, load_laws
from orchestration.lib.compiled import CompiledModel, compiled_models
from orchestration.lib.landing.inputs import SMALL_TABLES
from orchestration.lib.release.freeze import STORAGE_VERSION, PublishedTable, published_tables
from orchestration.lib.sources.canonical import SQL_TYPE, TABLES, Column, Table

Format = Literal["csv", "parquet"]

#: dbt writes the catalog's name into every reference: the file's name without its suffix.
CATALOG = "by_hand"
STEPS = ("read", "models", "release", "laws")
_MARK = re.compile(r"^-- step (\w+): (.*)$", re.MULTILINE)


def script(
    *,
    data: Path,
    small: Path,
    inputs: str,
    manifest: Path,
    folder: Path,
    feed: str,
    as_of: str,
    memory: str,
) -> str:
    """The whole script.

    Args:
        data: the company's files, one a canonical table.
        small: a folder like `work/inputs` with the tables that come from the configuration.
        inputs: what the manifest's models were compiled with as their folder of inputs.
        manifest: dbt's, compiled for the catalog `by_hand`.
        folder: where its database, its release and its spill files go.
        feed: the name of the one feed.
        as_of: the instant of the books, naive UTC.
        memory: DuckDB's `memory_limit`.
    """
    blocks = [
        f"set memory_limit = '{memory}';\n"
        f"set temp_directory = '{folder / 'spill'}';\n"
        "set autoinstall_known_extensions = false;\n"
        "set preserve_insertion_order = false;\n"
        "set nested_loop_join_threshold = 64;\n"
        "set TimeZone = 'UTC';\n"
        f"attach '{folder / f'{CATALOG}.duckdb'}' as {CATALOG};\n"
        f"use {CATALOG};\n"
        "create schema input;\n"
    ]
    blocks += [
        f"-- step read: {table.name}\n{_read(table, data, feed, as_of)}"
        for table in TABLES.values()
    ]
    blocks.append(
        f"-- step read: the tables of the configuration\n{_small(small, data, feed, as_of)}"
    )
    blocks += [
        f"-- step models: {model.name}\n{_on_tables(model, inputs).statement()};"
        for model in compiled_models(manifest)
    ]
    blocks.append(f"-- step release: file\n{_attach(folder)}")
    blocks += [
        f"-- step release: {each.schema}.{each.name}\n{_published(each)}"
        for each in published_tables(manifest)
    ]
    blocks.append("-- step release: checkpoint\ncheckpoint release;\nuse release;")
    blocks += [
        f"-- step laws: {law.id} {query}\n{getattr(law, query)};"
        for law in load_laws().values()
        for query in QUERIES
    ]
    blocks.append(f"-- step laws: close\nuse {CATALOG};\ndetach release;")
    return "\n\n".join(blocks) + "\n"


def _read(table: Table, data: Path, feed: str, as_of: str) -> str:
    """One file into a table of the canonical types, with where each row came from."""
    path = _file(data, table)
    columns = ", ".join(_typed(column, is_absent=path is None) for column in table.columns)
    if path is None:
        origin = "(values (1)) as nothing (_line) where false"
    elif path.suffix == ".csv":
        types = ", ".join(f"'{c.name}': '{_read_as(c)}'" for c in table.columns)
        origin = (
            f"(select *, row_number() over () + 1 as _line from read_csv('{path}', header = true,"
            f" auto_detect = false, delim = ',', quote = '\"', columns = {{{types}}}))"
        )
    else:
        origin = (
            f"(select *, file_row_number + 1 as _line"
            f" from read_parquet('{path}', file_row_number = true))"
        )
    name = path.name if path is not None else ""
    return (
        f"create table input.{table.name} as\nselect {columns},\n"
        f"    '{feed}'::varchar as _feed, 1::bigint as _load, '{name}'::varchar as _file,\n"
        f"    _line::bigint as _line, timestamp '{as_of}' as _loaded_at\nfrom {origin};"
    )


def _file(data: Path, table: Table) -> Path | None:
    return next(iter(sorted(data.glob(f"{table.name}.*"))), None)


def _read_as(column: Column) -> str:
    # Casting text to 38 digits takes 200 times as long as to 18, which hold any amount here: the
    # sample has at most six decimals, and ten million leads claim a pipeline of 1.6 billion.
    return "decimal(18, 6)" if column.type == "decimal" else SQL_TYPE[column.type]


def _typed(column: Column, *, is_absent: bool) -> str:
    kind = SQL_TYPE[column.type]
    if is_absent:
        return f"null::{kind} as {column.name}"
    if column.type == "text":
        return f"nullif(trim({column.name}), '') as {column.name}"
    return f"{column.name}::{kind} as {column.name}"


def _small(folder: Path, data: Path, feed: str, as_of: str) -> str:
    """The tables beside the canonical ones: of the configuration, and two that are counted."""
    counted = ("load", "source_total")
    statements = [
        f"create view input.{name} as select * from read_parquet('{folder / name}/*.parquet',"
        " union_by_name = true);"
        for name in SMALL_TABLES
        if name not in counted
    ]
    loads = []
    for table in TABLES.values():
        # A file without rows was loaded too.
        if (path := _file(data, table)) is None:
            continue
        time_column = table.time_column
        span = [
            f"{side}({time_column})::timestamp" if time_column else "null::timestamp"
            for side in ("min", "max")
        ]
        loads.append(
            f"select '{feed}' as feed, '{table.name}' as table_name, 1::bigint as load,"
            f" '{path.name}' as file, 'snapshot' as mode, timestamp '{as_of}' as loaded_at,"
            " true as is_newest, count(*) as raw_rows, count(*) as landed_rows,"
            f" 0::bigint as quarantined_rows, '' as sha256, {span[0]} as data_from,"
            f" {span[1]} as data_to from input.{table.name}"
        )
    statements.append("create table input.load as\n" + "\nunion all\n".join(loads) + ";")
    statements.append(
        f"create table input.source_total as select '{feed}' as feed, 1::bigint as load, source,"
        " account, date_trunc('month', day)::date as month, currency,"
        " sum(cost)::decimal(38, 9) as cost, count(*) as rows from input.spend group by all;"
    )
    return "\n".join(statements)


def _on_tables(model: CompiledModel, inputs: str) -> CompiledModel:
    """The model on tables instead of Parquet files."""
    pattern = re.escape(f"read_parquet('{inputs}/") + r"(\w+)/\*\.parquet', union_by_name=true\)"
    query = re.sub(pattern, rf"{CATALOG}.input.\1", model.query)
    if inputs in query:
        raise ValueError(f"model {model.name} reads the inputs in a way that is not known here")
    return replace(model, query=query)


def _attach(folder: Path) -> str:
    return (
        f"attach '{release(folder)}' as release (storage_version '{STORAGE_VERSION}');\n"
        "create schema release.audit;"
    )


def release(folder: Path) -> Path:
    """Where the script leaves the release."""
    return folder / "release.duckdb"


def _published(table: PublishedTable) -> str:
    return (
        f"create table release.{table.schema}.{table.name} as"
        f" select * from {CATALOG}.{table.source_schema}.{table.source_name};"
    )


def run(path: Path) -> None:
    """Execute a script block by block; one JSON line a block on standard output."""
    parts = _MARK.split(path.read_text(encoding="utf-8"))
    with duckdb.connect() as connection:
        connection.execute(parts[0])
        for step, name, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            began = time.monotonic()
            rows = connection.execute(body).fetchall()
            ended = time.monotonic()
            line = {"step": step, "name": name, "began": began, "ended": ended, "rows": len(rows)}
            sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    run(Path(sys.argv[1]))
