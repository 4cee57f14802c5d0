"""Running dbt in this process: parse when something changed, build, let go of the warehouse.

Belongs here: the one way in which Python calls dbt, and what a build did as plain records.
Does not belong here: what dbt builds (`dbt_project/`), how Dagster shows it (`defs.transform`).
Everything else knows dbt through its manifest only. Importing this module imports no dbt.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import settings
from orchestration.lib.environment import environment
from orchestration.settings import Home

if TYPE_CHECKING:
    import duckdb
    from dbt.contracts.graph.manifest import Manifest

#: Everything whose change makes dbt parse again: what it reads, and the packages that read it.
_PARSED_SUFFIXES = frozenset({".sql", ".yml", ".yaml", ".csv", ".md", ".py"})
_PACKAGES = ("dbt-core", "dbt-duckdb", "dbt-adapters")

FAILED = frozenset({"error", "fail", "runtime error"})


class TransformError(RuntimeError):
    """dbt could not parse, or a model or a test of it failed; the message names the file."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one model, seed or data test."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    message: str
    failures: int | None
    seconds: float
    path: str

    @property
    def failed(self) -> bool:
        """Whether the build may not go on to a release; a warning and a skip are no failure."""
        return self.status in FAILED

    def explain(self) -> str:
        """The failure for people: what, where, dbt's own words."""
        rows = f" ({self.failures} rows)" if self.failures else ""
        words = "\n".join(f"    {line}" for line in self.message.strip().splitlines())
        return f"{self.resource_type} {self.name}{rows} in {self.path}:\n{words}"


class Project:
    """The dbt project as one home builds it: its manifest and its warehouse."""

    def __init__(self, home: Home, folder: Path = settings.DBT_PROJECT) -> None:
        self._home = home
        self._folder = folder

    @property
    def home(self) -> Home:
        """Whose project it is."""
        return self._home

    @property
    def manifest_path(self) -> Path:
        """Where `prepare` leaves the manifest."""
        return self._home.dbt_target / "manifest.json"

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest; `prepare` must have run."""
        loaded: dict[str, Any] = json.loads(self.manifest_path.read_bytes())
        return loaded

    def prepare(self) -> bool:
        """Parse the project if anything that dbt reads has changed; say whether it has.

        dbt's own partial parse takes 0.8 to 1.7 s to find that nothing changed; comparing a hash
        takes 20 ms (80 files, two cores).
        """
        from filelock import FileLock

        self._home.dbt_target.mkdir(parents=True, exist_ok=True)
        stamp = self._home.dbt_target / "fingerprint.txt"
        with FileLock(self._home.dbt_target / "parse.lock"):
            fingerprint = self._fingerprint()
            if (
                self.manifest_path.exists()
                and self._partial_parse.exists()
                and stamp.exists()
                and stamp.read_text() == fingerprint
            ):
                return False
            stamp.unlink(missing_ok=True)
            outcome = self._invoke(["parse"], manifest=None)
            if not outcome.success:
                raise TransformError(f"dbt cannot read the project:\n{outcome.exception}")
            stamp.write_text(fingerprint)
        self.__dict__.pop("manifest", None)
        return True

    def build(
        self,
        *,
        select: Sequence[str] = (),
        on_node: Callable[[str, float], None] | None = None,
    ) -> list[NodeResult]:
        """Seeds, models and data tests in dependency order; unit tests prove code, not data.

        Args:
            select: dbt selectors; everything by default.
            on_node: told the name and the seconds of each model as it ends, from dbt's threads.

        Returns:
            One record per node, in the order in which they ended. Failures are records too.

        Raises:
            TransformError: dbt could not begin.
        """
        import dbt.adapters.factory
        from dbt.contracts.graph.manifest import Manifest

        if not select:
            # A whole build begins with nothing: no table of another run can be left beside its own,
            # and dbt has nothing to rename and drop (69 models: 2 of 8 processor seconds).
            self._home.warehouse.unlink(missing_ok=True)
            self._home.warehouse.with_name(self._home.warehouse.name + ".wal").unlink(
                missing_ok=True
            )
        manifest = Manifest.from_msgpack(self._partial_parse.read_bytes())
        arguments = ["build", "--exclude-resource-type", "unit_test", "--no-write-json"]
        if select:
            arguments += ["--select", *select]
        try:
            outcome = self._invoke(arguments, manifest=manifest, on_node=on_node)
        finally:
            let_go()
            dbt.adapters.factory.reset_adapters()  # type: ignore[no-untyped-call]
        if outcome.exception is not None and not isinstance(outcome.exception, Exception):
            raise outcome.exception  # an interrupt: dbt hands on everything it catches
        if outcome.result is None:
            raise TransformError(f"dbt could not build:\n{outcome.exception}")
        return [_node_result(entry) for entry in outcome.result.results]

    @property
    def _partial_parse(self) -> Path:
        return self._home.dbt_target / "partial_parse.msgpack"

    def _invoke(
        self,
        arguments: list[str],
        *,
        manifest: Manifest | None,
        on_node: Callable[[str, float], None] | None = None,
    ) -> Any:
        from dbt.cli.main import dbtRunner

        def watch(event: Any) -> None:
            if on_node is not None and event.info.name == "LogModelResult":
                on_node(event.data.node_info.node_name, float(event.data.execution_time))

        logs = self._home.work / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        # dbt's log of every statement took a third of a build's time (164 nodes: 2.0 of 6.4 s);
        # results and errors come back as records, and compiled SQL stays in the target folder.
        quiet = ["--log-level", "none", "--log-level-file", "warn", "--log-path", str(logs)]
        folders = ["--project-dir", str(self._folder), "--profiles-dir", str(self._folder)]
        folders += ["--target-path", str(self._home.dbt_target)]
        with environment(self._environment), only_events_heard():
            runner = dbtRunner(manifest=manifest, callbacks=[watch] if on_node else [])
            return runner.invoke([*arguments, *quiet, *folders])

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "TIEOUT_WAREHOUSE": str(self._home.warehouse),
            "TIEOUT_INPUTS": str(self._home.inputs),
            "TIEOUT_MEMORY": settings.memory_limit(),
            "DBT_TARGET_PATH": str(self._home.dbt_target),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }

    def _fingerprint(self) -> str:
        from importlib.metadata import version

        digest = hashlib.sha256()
        packages = [f"{name}=={version(name)}" for name in _PACKAGES]
        known = [sys.version, packages, str(self._folder), self._environment]
        digest.update(json.dumps(known).encode())
        for folder in (self._folder, self._folder.parent / "seeds" / "reference"):
            for path in sorted(folder.rglob("*")):
                inside = path.relative_to(folder)
                if path.suffix not in _PARSED_SUFFIXES or inside.parts[0] in ("target", "logs"):
                    continue
                if not path.is_file():
                    continue
                digest.update(f"\0{inside}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


@contextmanager
def only_events_heard() -> Iterator[None]:
    """Events for debugging, of which dbt fires 24 a node, end where they begin: nobody hears them.

    dbt makes a message of each, stamped and numbered, before it asks whether a log wants it (226
    nodes: 0.9 of 9 processor seconds). Results, warnings and errors are no such events.
    """
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import ctx_set_event_manager, get_event_manager

    class Attentive(EventManager):
        def fire_event(
            self,
            e: BaseEvent,
            level: EventLevel | None = None,
            node: Any = None,
            force_warn_or_error_handling: bool = False,
        ) -> None:
            if force_warn_or_error_handling or (level or e.level_tag()) != EventLevel.DEBUG:
                super().fire_event(e, level, node, force_warn_or_error_handling)

    before = get_event_manager()
    ctx_set_event_manager(Attentive())
    try:
        yield
    finally:
        ctx_set_event_manager(before)


def let_go() -> None:
    """Close dbt's connections: it keeps the file open for writing, and nobody else can open it."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _node_result(entry: Any) -> NodeResult:
    return NodeResult(
        unique_id=entry.node.unique_id,
        name=entry.node.name,
        resource_type=str(entry.node.resource_type),
        status=str(entry.status),
        message=entry.message or "",
        failures=entry.failures,
        seconds=entry.execution_time,
        path=f"{settings.DBT_PROJECT.name}/{entry.node.original_file_path}",
    )


@dataclass(frozen=True)
class TableFacts:
    """What stands in one built table: its rows, and the sum of each money column."""

    rows: int
    totals: dict[str, int]


def table_facts(
    warehouse: Path, built: Collection[str], published: Collection[str]
) -> dict[str, TableFacts]:
    """Rows of each table; of what is published, views too, and the sum of every `*_minor` column.

    Other views are left out: counting one means computing it.
    """
    import duckdb

    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            "select columns.table_name, columns.column_name, tables.table_oid is not null"
            " from duckdb_columns() as columns left join duckdb_tables() as tables"
            " using (database_oid, table_oid) where columns.database_name = current_database()"
        ).fetchall()
        columns: dict[str, list[str]] = {}
        for relation, column, is_table in found:
            if relation in built and (is_table or relation in published):
                columns.setdefault(relation, []).append(column)
        return {
            relation: _facts(connection, relation, names if relation in published else [])
            for relation, names in columns.items()
        }


def _facts(connection: duckdb.DuckDBPyConnection, relation: str, columns: list[str]) -> TableFacts:
    summed = [name for name in columns if name.endswith("_minor")]
    sums = "".join(f', sum("{name}")' for name in summed)
    row = connection.execute(f'select count(*){sums} from "{relation}"').fetchone() or (0,)
    totals = {
        name: int(total) for name, total in zip(summed, row[1:], strict=False) if total is not None
    }
    return TableFacts(rows=int(row[0]), totals=totals)
