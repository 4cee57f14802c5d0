"""Small companies for tests of the dbt project.

Belongs here: writing the Parquet a run reads (`work/inputs`) from Python literals, by the landing's
contract, and running dbt on it in this process. Does not belong here: what a test expects.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.factory import get_adapter_by_type
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from orchestration.lib.environment import environment
from orchestration.lib.landing.calendar import Fiscal
from orchestration.lib.landing.inputs import SMALL_TABLES, calendar_bytes
from orchestration.lib.sources.canonical import LINEAGE, SQL_TYPE, TABLES
from orchestration.lib.transform import only_events_heard
from orchestration.settings import DBT_PROJECT
from tests.support.built import build
from tests.support.parsed import parsed_for

Row = Mapping[str, Any]

AS_OF = "2026-03-31 23:00:00"

#: The tables beside the canonical ones that a run reads, with their columns.
RUN_TABLES: dict[str, dict[str, str]] = {
    table: dict(columns) for table, columns in SMALL_TABLES.items()
}

#: The calendar's own weeks, months and years.
_CALENDAR = Fiscal("monday", "calendar", (date(2026, 1, 1),))

RUN_PARAMETER: dict[str, Any] = {
    "as_of": AS_OF,
    "reporting_currency": "USD",
    "time_zone": "America/New_York",
    "cohort_period": "month",
    "no_lead_after_days": 90,
    "person_key": "key",
    "company": "Test company",
}


def columns_of(table: str) -> dict[str, str]:
    """Names and DuckDB types of an input table, lineage included, in the landing's order."""
    if table in RUN_TABLES:
        return RUN_TABLES[table]
    own = {column.name: SQL_TYPE[column.type] for column in TABLES[table].columns}
    return own | dict(LINEAGE)


def write_inputs(folder: Path, tables: Mapping[str, Sequence[Row]]) -> None:
    """Write every input table, those that are not given empty, each as one Parquet file.

    A row of a canonical table says only what matters; feed `crm`, load 1, the table's own file,
    the next line and `AS_OF` are filled in. `load` is derived where it is not given, the
    `run_parameter` is completed from `RUN_PARAMETER`, and a definition's hash is all zeros.
    """
    unknown = set(tables) - set(TABLES) - set(RUN_TABLES)
    if unknown:
        raise KeyError(f"no such input table: {', '.join(sorted(unknown))}")
    complete: dict[str, list[dict[str, Any]]] = {
        name: [_with_lineage(name, number, row) for number, row in enumerate(tables.get(name, ()))]
        for name in TABLES
    }
    for name in RUN_TABLES:
        complete[name] = [dict(row) for row in tables.get(name, ())]
    for definition in complete["qualified_definition"]:
        definition.setdefault("sha256", "0" * 64)
    complete["run_parameter"] = [RUN_PARAMETER | dict(*tables.get("run_parameter", ()))]
    if "load" not in tables:
        complete["load"] = _loads(complete)
    shutil.rmtree(folder, ignore_errors=True)
    connection = duckdb.connect()
    try:
        for name, rows in complete.items():
            _write_table(connection, folder / name / "data.parquet", columns_of(name), rows)
    finally:
        connection.close()
    if "calendar_day" not in tables:
        zone = complete["run_parameter"][0]["time_zone"]
        (folder / "calendar_day" / "data.parquet").write_bytes(calendar_bytes(_CALENDAR, zone))


def _with_lineage(table: str, number: int, row: Row) -> dict[str, Any]:
    lineage = {
        "_feed": "crm",
        "_load": 1,
        "_file": f"{table}.csv",
        "_line": number + 2,
        "_loaded_at": AS_OF,
    }
    return lineage | dict(row)


def _loads(complete: Mapping[str, Sequence[Row]]) -> list[dict[str, Any]]:
    counts: dict[tuple[str, str, int, str, Any], int] = {}
    for table in TABLES:
        for row in complete[table]:
            key = (row["_feed"], table, row["_load"], row["_file"], row["_loaded_at"])
            counts[key] = counts.get(key, 0) + 1
    newest: dict[tuple[str, str, str], int] = {}
    for feed, table, load, file, _ in counts:
        newest[feed, table, file] = max(load, newest.get((feed, table, file), 0))
    return [
        {
            "feed": feed,
            "table_name": table,
            "load": load,
            "file": file,
            "mode": "snapshot",
            "loaded_at": loaded_at,
            "is_newest": newest[feed, table, file] == load,
            "raw_rows": rows,
            "landed_rows": rows,
            "quarantined_rows": 0,
        }
        for (feed, table, load, file, loaded_at), rows in counts.items()
    ]


def _write_table(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    columns: Mapping[str, str],
    rows: Sequence[Row],
) -> None:
    for row in rows:
        unknown = set(row) - set(columns)
        if unknown:
            raise KeyError(f"{path.parent.name} has no column {', '.join(sorted(unknown))}")
    definition = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    connection.execute(f"create or replace temp table input ({definition})")
    if rows:
        marks = ", ".join("?" for _ in columns)
        connection.executemany(
            f"insert into input values ({marks})",
            [[row.get(name) for name in columns] for row in rows],
        )
    path.parent.mkdir(parents=True)
    quoted = str(path).replace("'", "''")
    connection.execute(f"copy input to '{quoted}' (format parquet)")


@cache
def _dbt_place() -> Path:
    """Where dbt works in this process; gone with it."""
    place = Path(tempfile.mkdtemp(prefix="tieout-dbt-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place


def parsed() -> Manifest:
    """The project as dbt parsed it; read anew each time, for a build leaves its traces in it."""
    return Manifest.from_msgpack(parsed_for(_dbt_place() / "books" / "inputs"))


@dataclass(frozen=True)
class Warehouse:
    """A working warehouse in a folder of its own, built from given inputs.

    dbt is told the same paths for every warehouse, those of a link to the folder that is meant.
    """

    root: Path

    @property
    def inputs(self) -> Path:
        """What dbt reads."""
        return self.root / "inputs"

    @property
    def database(self) -> Path:
        """What dbt writes."""
        return self.root / "warehouse.duckdb"

    def dbt(self, *arguments: str) -> Any:
        """Run one dbt command in this process; an error raises with dbt's own words."""
        place = _dbt_place()
        books = place / "books"
        books.unlink(missing_ok=True)
        books.symlink_to(self.root)
        variables = {
            "TIEOUT_INPUTS": str(books / self.inputs.name),
            "TIEOUT_WAREHOUSE": str(books / self.database.name),
            "DBT_TARGET_PATH": str(place / "target"),
            "DBT_LOG_PATH": str(place / "logs"),
            "DBT_PROJECT_DIR": str(DBT_PROJECT),
            "DBT_PROFILES_DIR": str(DBT_PROJECT),
        }
        # Neither told on the way nor written down: results and errors come back as records, and a
        # log of every statement takes a third of the time.
        quiet = ["--quiet", "--log-level-file", "none", "--no-write-json"]
        with environment(variables), only_events_heard():
            result = dbtRunner(manifest=parsed()).invoke([*quiet, *arguments])
            # dbt keeps the file open for writing; nobody else could read it.
            get_adapter_by_type("duckdb").connections.close_all_connections()
        if result.exception is not None:
            raise result.exception
        outcome: Any = result.result
        if not result.success:
            failed = [
                f"{node.node.name}: {node.message}"
                for node in outcome
                if node.status not in {"success", "pass"}
            ]
            raise AssertionError("\n".join(failed))
        return outcome

    def build(self, tables: Mapping[str, Sequence[Row]], *select: str) -> None:
        """Write the inputs and build the selected models (all by default) from nothing.

        From the SQL that dbt compiled, with its contracts and data tests; `dbt` runs dbt itself.
        """
        write_inputs(self.inputs, tables)
        build(self.database, self.inputs, select)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query on the warehouse."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            found = connection.execute(query)
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def row(self, query: str) -> dict[str, Any]:
        """The only row of a query; none or several are an error."""
        (only,) = self.rows(query)
        return only
