"""What a run would find wrong with a configuration and its files, told before any run.

Belongs here: `check`, which lands nothing and changes nothing. It reads with the very expressions
of the landing, so that what it says is what a run does.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from orchestration.lib.landing.plan import connect
from orchestration.lib.landing.reading import Reading
from orchestration.lib.sources.config import (
    CanonicalFeed,
    MappedFeed,
    SourcesError,
    SourcesFile,
    TableSource,
    feed_tables,
    load_sources,
)
from orchestration.lib.sources.files import SetupError, SourceFile
from orchestration.lib.sources.suggest import suggest
from orchestration.settings import Home

if TYPE_CHECKING:
    import duckdb

Severity = Literal["error", "warning", "info"]
_SHOWN = 3
#: Raw statuses by table: which column holds them, and which entity's map they need.
_STATUSES = {
    "leads": ("status", "lead"),
    "lead_events": ("status", "lead"),
    "opportunities": ("stage", "opportunity"),
    "opportunity_events": ("stage", "opportunity"),
}


@dataclass(frozen=True)
class Finding:
    """One thing to know before a run.

    An error keeps everything from landing; a warning is rows that would be quarantined, a law that
    would block, or people who would not be told; an info is only worth knowing.
    """

    severity: Severity
    feed: str | None
    table: str | None
    file: str | None
    line: int | None
    column: str | None
    message: str
    what_to_do: str = ""
    suggestion: str | None = None

    @property
    def place(self) -> str:
        """feed.table file:line, as far as known."""
        feed = ".".join(part for part in (self.feed, self.table) if part)
        file = f"{self.file}:{self.line}" if self.file and self.line else self.file or ""
        return " ".join(part for part in (feed, file) if part)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def check(path: Path) -> list[Finding]:
    """Everything that is wrong, or worth knowing, about a sources.yml and the files it names."""
    try:
        sources = load_sources(path)
    except SourcesError as error:
        return [
            Finding("error", None, None, p.file, p.line, p.key or None, p.message)
            for p in error.problems
        ]
    with tempfile.TemporaryDirectory(prefix="tieout-check-") as scratch:
        con = connect(Home(Path(scratch)))
        try:
            return list(_Check(sources, con, Path(scratch)).findings())
        finally:
            con.close()


class _Check:
    """The checks of one configuration, on one connection."""

    def __init__(self, sources: SourcesFile, con: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self.sources = sources
        self.con = con
        self.scratch = scratch
        self.statuses: dict[tuple[str, str], dict[str, tuple[int, str]]] = {}
        self.currencies: dict[str, tuple[int, str]] = {}
        self.rated: set[str] = {sources.company.reporting_currency}

    def findings(self) -> Iterator[Finding]:
        tables = feed_tables(self.sources)
        for name, feed in self.sources.sources.items():
            root = self.sources.root(name)
            line = self.sources.line("sources", name, "path")
            if not root.is_dir():
                yield Finding("error", name, None, str(self.sources.path), line, None,
                              f"there is no folder {root}", "correct `path`")  # fmt: skip
                continue
            own = [table for table in tables if table.feed == name]
            for table in own:
                yield from self._table(table)
            if isinstance(feed, CanonicalFeed) and not own:
                yield Finding("error", name, None, str(self.sources.path), line, None,
                              f"{root} has no file named after a canonical table",
                              "name the files spend.csv, leads.parquet, …")  # fmt: skip
            yield from self._unread(name, root, own)
        yield from self._unmapped()
        yield from self._unrated()
        yield from self._untold()

    # -- one table ----------------------------------------------------------------------------

    def _table(self, source: TableSource) -> Iterator[Finding]:
        feed, table = source.key
        files = source.files()
        if not files:
            line = self.sources.line("sources", feed, "tables", table, "files")
            yield Finding("error", feed, table, str(self.sources.path), line, None,
                          f"no file in {source.root} matches {source.patterns[0]!r}",
                          "correct `files`, or deliver the file")  # fmt: skip
        for path in files:
            try:
                file = SourceFile(self.con, source, path, self.scratch)
                reading = Reading.of(source, file)
            except SetupError as error:
                yield self._setup(source, path, error)
                continue
            yield from self._cells(reading)
            yield from self._unused(reading)

    def _setup(self, source: TableSource, path: Path, error: SetupError) -> Finding:
        """A file that does not fit its mapping, with a mapping that would fit."""
        suggestion = None
        try:
            file = SourceFile(self.con, source, path, self.scratch)
            file.read_header()
            found = suggest(file, source.table.name)
            suggestion = found.yaml if found else None
        except SetupError:
            # The file cannot even be opened; the error itself says why.
            suggestion = None
        return Finding("error", *source.key, source.relative(path), None, None, str(error),
                       "correct the mapping or the file", suggestion)  # fmt: skip

    def _cells(self, reading: Reading) -> Iterator[Finding]:
        """Cells that would be quarantined: how many, and the first of each column and reason."""
        file, source = reading.file, reading.source
        refused = self._exact_lines(file)
        self.con.execute(f"create or replace temp table bad as {reading.bad_cells(0, refused)}")
        rows = self.con.execute(
            'select "column", reason, count(*) as cells,'
            f" (list(line order by line))[:{_SHOWN}], (list(value order by line))[:{_SHOWN}]"
            " from bad group by all order by min(line), 1, 2"
        ).fetchall()
        for column, reason, cells, lines, values in rows:
            shown = "; ".join(
                f"line {line}: {'(empty)' if value is None else repr(value[:80])}"
                for line, value in zip(lines, values, strict=True)
            )
            what = f"{cells:,} {'cell' if column else 'row'}{'s' if cells != 1 else ''}"
            yield Finding(
                "warning", *source.key, file.name, lines[0], column,
                f"{what} would be quarantined: {reason} ({shown})",
                "correct the declared format, `exclude` the rows with a reason, or declare a"
                " tolerance under `tolerances.quarantine`",
            )  # fmt: skip
        self._collect(reading)

    def _exact_lines(self, file: SourceFile) -> str | None:
        """Make the relation's lines exact where they are not; the refused records, if any."""
        if not file.is_text:
            return None
        scan = None if file.must_be_copied else file.scan()
        if scan is None or scan.has_mixed_ends:
            file.copy_readable()
            scan = file.scan()
        file.forget_refused()
        self.con.execute(f"select count(columns(*)) from ({file.relation()})").fetchall()
        positions = file.refused_positions()
        if scan.is_plain and not positions:
            return None
        file.use_exact_lines(positions)
        if not positions:
            return None
        self.con.execute(
            f"create or replace temp table refused_record as {file.refused_relation()}"
        )
        file.forget_refused()
        return "from refused_record"

    def _collect(self, reading: Reading) -> None:
        """Remember the raw statuses, currencies and rates of the rows that would land."""
        source = reading.source
        wanted = [("currency", "currency")] if "currency" in source.table.column_names else []
        if source.table.name in _STATUSES:
            wanted.append((_STATUSES[source.table.name][0], "status"))
        for column, kind in wanted:
            reading.file.forget_refused()
            rows = self.con.execute(
                f"select {column}, count(*) from ({reading.landed(0, '2000-01-01')})"
                f" where {column} is not null group by all order by all"
            ).fetchall()
            for value, count in rows:
                if kind == "status":
                    entity = _STATUSES[source.table.name][1]
                    known = self.statuses.setdefault((source.feed, entity), {})
                    known[value] = (known.get(value, (0, ""))[0] + count, source.table.name)
                elif source.table.name == "fx_rates":
                    self.rated.add(value)
                else:
                    place = f"{source.feed}.{source.table.name}"
                    self.currencies[value] = (
                        self.currencies.get(value, (0, ""))[0] + count,
                        place,
                    )

    def _unused(self, reading: Reading) -> Iterator[Finding]:
        source = reading.source
        if source.columns is None:
            return
        used = {spec.column for spec in source.columns.values()}
        used |= {rule.column for rule in source.exclude}
        unused = [name for name in reading.file.names if name and name not in used]
        if unused:
            yield Finding("info", *source.key, reading.file.name, None, None,
                          f"columns that nobody mapped: {', '.join(unused)}",
                          "map them, or leave them: they are not read")  # fmt: skip

    # -- the whole ----------------------------------------------------------------------------

    def _unread(self, name: str, root: Path, own: list[TableSource]) -> Iterator[Finding]:
        """Files in the folder that no table reads, with the mapping that they suggest."""
        read = {path for table in own for path in table.files()}
        read |= {root / lookup.file for table in own for lookup in table.lookup_files.values()}
        feed = self.sources.sources[name]
        for path in sorted(root.iterdir()):
            if path in read or not path.is_file() or path.name.startswith("."):
                continue
            if path.resolve() == self.sources.path or path.suffix.lower() in (
                ".yml",
                ".yaml",
                ".md",
            ):
                continue
            try:
                found = self._suggested(name, root, path)
            except SetupError:
                found = None  # Not a table at all: a picture, a letter. It is named below.
            advice = "map it, or leave it: it is not read"
            if not isinstance(feed, MappedFeed):
                advice = "give it the name of a canonical table, or use the adapter `mapped`"
            yield Finding("info", name, None, path.name, None, None, "no table reads this file",
                          advice, found)  # fmt: skip

    def _suggested(self, name: str, root: Path, path: Path) -> str | None:
        from orchestration.lib.sources import canonical

        with path.open("rb") as file:
            first = file.read(65536).split(b"\n", 1)[0]
        delimiter = max((",", ";", "\t", "|"), key=lambda mark: first.count(mark.encode()))
        source = TableSource(name, canonical.TABLES["leads"], root, (path.name,), columns={},
                             delimiter=delimiter)  # fmt: skip
        candidate = SourceFile(self.con, source, path, self.scratch)
        candidate.read_header()
        found = suggest(candidate)
        return found.yaml if found else None

    def _unmapped(self) -> Iterator[Finding]:
        for (feed, entity), values in self.statuses.items():
            mapped = getattr(self.sources.sources[feed].stages, entity)
            missing = {value: found for value, found in values.items() if value not in mapped}
            if not missing:
                continue
            listed = ", ".join(f"{value} ({rows:,})" for value, (rows, _) in missing.items())
            lines = "\n".join(f'    "{value}": TODO' for value in missing)
            yield Finding(
                "warning", feed, next(iter(missing.values()))[1], str(self.sources.path),
                self.sources.line("sources", feed, "stages", entity), None,
                f"raw statuses of {entity} records without a canonical stage: {listed}",
                "map each; an unmapped status blocks (law B13)",
                f"stages:\n  {entity}:\n{lines}",
            )  # fmt: skip

    def _unrated(self) -> Iterator[Finding]:
        for currency, (rows, place) in sorted(self.currencies.items()):
            if currency not in self.rated:
                feed, table = place.split(".")
                yield Finding(
                    "warning", feed, table, None, None, "currency",
                    f"{rows:,} rows in {currency}, for which fx_rates has no rate to"
                    f" {self.sources.company.reporting_currency}",
                    "deliver fx_rates with that currency; a missing rate blocks (law B9)",
                )  # fmt: skip

    def _untold(self) -> Iterator[Finding]:
        """Channels whose address is not there; it is not looked at otherwise."""
        for name, channel in self.sources.notify.channels.items():
            if not os.environ.get(channel.url_env):
                yield Finding(
                    "warning", None, None, str(self.sources.path),
                    self.sources.line("notify", "channels", name, "url_env"), None,
                    f"channel {name}: the environment variable {channel.url_env} is not set here,"
                    " so nobody would be told",
                    f"set it where Tieout runs; `tieout notify test {name}` tries it",
                )  # fmt: skip
