"""What one run lands: every (feed, table), checked as a whole before anything lands.

Belongs here: which files land and which are unchanged, the reports, the public functions.
Does not belong here: how one file lands (`load`), what dbt reads (`inputs`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from orchestration.lib.landing.inputs import write_inputs
from orchestration.lib.landing.load import FileLoad
from orchestration.lib.landing.manifest import Loads, Manifest, Stat
from orchestration.lib.landing.reading import Reading
from orchestration.lib.sources.config import (
    MappedFeed,
    SourcesFile,
    TableSource,
    feed_tables,
    naive_utc,
)
from orchestration.lib.sources.files import SetupError, SourceFile, hash_file
from orchestration.settings import Home

if TYPE_CHECKING:
    import duckdb

#: Called with a feed, a table and what is being done, as it happens.
Progress = Callable[[str, str, str], None]

#: A file written within this time before it was read may have been written again in the same
#: tick of the file system's clock; its times are then no proof.
_TICK_NS = 2_000_000_000


@dataclass(frozen=True)
class TableReport:
    """One (feed, table) after landing: what counts now, and what this run added."""

    feed: str
    table: str
    files: int
    files_unchanged: int
    #: Of the loads that say what the source says now.
    raw_rows: int
    landed_rows: int
    quarantined_rows: int
    excluded_rows: int
    excluded: dict[str, int]
    lookups: dict[str, int]
    #: Rows that this run wrote.
    new_rows: int
    #: Spend by currency, major units, exact (empty for other tables).
    spend: dict[str, Decimal]
    data_from: str | None
    data_to: str | None
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON and for Dagster's metadata; money as text."""
        return {**asdict(self), "spend": {k: str(v) for k, v in self.spend.items()}}


@dataclass(frozen=True)
class LandingReport:
    """All tables of a run, and how long it took."""

    tables: list[TableReport] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_unchanged(self) -> bool:
        """No file was new or changed."""
        return all(table.files == table.files_unchanged for table in self.tables)


def connect(home: Home) -> duckdb.DuckDBPyConnection:
    """A connection for reading files: UTC, nothing from the network, spilling below the home."""
    import duckdb

    con = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": str(home.work / "spill"),
            "memory_limit": "2GB",
        }
    )
    con.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
    return con


class LandingPlan:
    """The files of a configuration and what is to be done with each; use it as a context.

    `prepare` looks at every file that would land, and raises SetupError listing all that is wrong
    as a whole (no such file, no such column), before anything lands. `land_table` lands one
    (feed, table) and `link_inputs` builds `work/inputs` when all are landed.
    """

    def __init__(
        self,
        home: Home,
        sources: SourcesFile,
        as_of: datetime,
        progress: Progress | None = None,
    ) -> None:
        self.home = home
        self.sources = sources
        self.as_of = naive_utc(as_of)
        self.progress = progress
        self.tables = {source.key: source for source in feed_tables(sources)}
        self._con: duckdb.DuckDBPyConnection | None = None
        self._loads: dict[tuple[str, str], Loads] = {}
        self._hashes: dict[Path, str] = {}
        #: By table and file: one file may deliver several tables.
        self._readings: dict[tuple[tuple[str, str], Path], Reading] = {}

    def __enter__(self) -> LandingPlan:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the plan can be used again and opens another."""
        if self._con is not None:
            self._con.close()
            self._con = None

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """One connection for all files: opening one costs 20 ms."""
        if self._con is None:
            self._con = connect(self.home)
        return self._con

    def loads(self, source: TableSource) -> Loads:
        """The loads of a table; reading them sweeps what a killed run left."""
        if source.key not in self._loads:
            folder = self.home.landing / source.feed / source.table.name
            self._loads[source.key] = Loads.read(folder)
        return self._loads[source.key]

    # -- before anything lands ----------------------------------------------------------------

    def prepare(self, only: tuple[str, str] | None = None) -> None:
        """Check all files (or one table's) as a whole; SetupError says everything at once."""
        problems: list[str] = []
        for name in self.sources.sources:
            if only is None or only[0] == name:
                problems += self._check_feed(name)
        if not problems:
            for key, source in self.tables.items():
                if only is None or only == key:
                    problems += self._check_table(source)
        if problems:
            raise SetupError("\n".join(problems))

    def _check_feed(self, name: str) -> list[str]:
        root, feed = self.sources.root(name), self.sources.sources[name]
        place = f"{self.sources.path.name}:{self.sources.line('sources', name, 'path')}"
        if not root.is_dir():
            return [f"{place}: sources.{name}.path: there is no folder {root}; correct `path`"]
        if isinstance(feed, MappedFeed):
            return [
                f"{self.tables[name, table].declared_at}: sources.{name}.tables.{table}.files: no"
                f" file in {root} matches {mapped.files!r}; correct `files`, or deliver the file"
                for table, mapped in feed.tables.items()
                if not self.tables[name, table].files()
            ]
        if not any(key[0] == name for key in self.tables):
            return [
                f"{place}: sources.{name}.path: {root} has no file named after a canonical table"
                " (spend.csv, leads.parquet, …)"
            ]
        return []

    def _check_table(self, source: TableSource) -> list[str]:
        problems = []
        for path in source.files():
            if self._is_landed(source, path):
                continue
            try:
                file = SourceFile(self.con, source, path, path.parent)
                self._readings[source.key, path] = Reading.of(source, file)
            except SetupError as error:
                problems.append(str(error))
        return problems

    def _is_landed(self, source: TableSource, path: Path) -> bool:
        """The very bytes are landed under the very mapping, and are the newest of their file.

        The times of a file are taken for its hash only if nothing could have been written
        unseen: size, inode, device, mtime and ctime are those of the load, and both times lie
        well before that load was read. (mtime alone can be set back; ctime cannot.)
        """
        loads = self.loads(source)
        newest = loads.newest(source.relative(path))
        stat = Stat.of(path)
        if newest is not None and newest.mapping_sha256 == source.mapping_sha256:
            is_settled = max(stat.mtime_ns, stat.ctime_ns) + _TICK_NS < newest.read_at_ns
            if (stat == newest.stat and is_settled) or newest.sha256 == self._hash(path):
                return True
        if source.mode == "append" and loads.live:
            # Every load counts, so bytes that came under another name must not count twice.
            sha256 = self._hash(path)
            return any(
                m.sha256 == sha256 and m.mapping_sha256 == source.mapping_sha256 for m in loads.live
            )
        return False

    def _hash(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = hash_file(path)
        return self._hashes[path]

    # -- landing ------------------------------------------------------------------------------

    def land_table(self, feed: str, table: str) -> TableReport:
        """Land the new and changed files of one (feed, table)."""
        began = time.perf_counter()
        source = self.tables[feed, table]
        if not any((source.key, path) in self._readings for path in source.files()):
            self.prepare(source.key)
        loads, files, unchanged, new_rows = self.loads(source), source.files(), 0, 0
        for path in files:
            reading = self._readings.pop((source.key, path), None)
            # A twin delivered in this very run may have landed since the plan was made.
            if reading is None or self._is_landed(source, path):
                unchanged += 1
                continue
            if self.progress is not None:
                self.progress(feed, table, f"landing {source.relative(path)}")
            load = FileLoad(self.con, reading, loads, self.as_of, self._hashes.get(path))
            new_rows += load.run().landed_rows
        names = {source.relative(path) for path in files}
        report = _report(source, loads.current(names, source.mode), len(files), unchanged,
                         new_rows, time.perf_counter() - began)  # fmt: skip
        if self.progress is not None:
            self.progress(feed, table, f"{report.landed_rows:,} rows")
        return report

    def link_inputs(self) -> None:
        """Build `work/inputs` from what is landed; every table must have been landed."""
        for source in self.tables.values():
            loads = self.loads(source)
            for path in source.files():
                landed = loads.newest(source.relative(path))
                if landed is None and not (source.mode == "append" and loads.live):
                    raise SetupError(
                        f"{path} is not landed: land {source.feed}.{source.table.name} first"
                    )
        write_inputs(
            self.con,
            self.home,
            self.sources,
            self.as_of,
            {key: (source, self.loads(source)) for key, source in self.tables.items()},
        )


def _report(
    source: TableSource,
    current: list[Manifest],
    files: int,
    unchanged: int,
    new_rows: int,
    seconds: float,
) -> TableReport:
    excluded: dict[str, int] = {}
    lookups: dict[str, int] = {}
    spend: dict[str, Decimal] = {}
    for manifest in current:
        for counted, into in ((manifest.excluded, excluded), (manifest.lookups, lookups)):
            for name, rows in counted.items():
                into[name] = into.get(name, 0) + rows
        for currency, cost in manifest.cost.items():
            spend[currency] = spend.get(currency, Decimal(0)) + Decimal(cost)
    return TableReport(
        feed=source.feed,
        table=source.table.name,
        files=files,
        files_unchanged=unchanged,
        raw_rows=sum(m.raw_rows for m in current),
        landed_rows=sum(m.landed_rows for m in current),
        quarantined_rows=sum(m.quarantined_rows for m in current),
        excluded_rows=sum(m.excluded_rows for m in current),
        excluded=excluded,
        lookups=lookups,
        new_rows=new_rows,
        spend=spend,
        data_from=min((m.data_from for m in current if m.data_from), default=None),
        data_to=max((m.data_to for m in current if m.data_to), default=None),
        seconds=seconds,
    )


def land(
    home: Home, sources: SourcesFile, as_of: datetime, progress: Progress | None = None
) -> LandingReport:
    """Land every table of the configuration and build `work/inputs`."""
    began = time.perf_counter()
    with LandingPlan(home, sources, as_of, progress) as plan:
        plan.prepare()
        tables = [plan.land_table(feed, table) for feed, table in plan.tables]
        plan.link_inputs()
    return LandingReport(tables, time.perf_counter() - began)


def land_table(
    home: Home,
    sources: SourcesFile,
    feed: str,
    table: str,
    as_of: datetime,
    progress: Progress | None = None,
) -> TableReport:
    """Land one (feed, table): what a Dagster asset does."""
    with LandingPlan(home, sources, as_of, progress) as plan:
        if (feed, table) not in plan.tables:
            listed = ", ".join(f"{a}.{b}" for a, b in plan.tables)
            raise SetupError(f"{sources.path}: no files for {feed}.{table}; there are: {listed}")
        plan.prepare((feed, table))
        return plan.land_table(feed, table)


def link_inputs(home: Home, sources: SourcesFile, as_of: datetime) -> None:
    """Build `work/inputs` when all tables are landed."""
    with LandingPlan(home, sources, as_of) as plan:
        plan.link_inputs()


__all__ = [
    "LandingPlan",
    "LandingReport",
    "Progress",
    "TableReport",
    "connect",
    "land",
    "land_table",
    "link_inputs",
]
