"""Landing one file: one typed statement, and whatever it takes to account for every row.

Belongs here: the order of statements for a file, exact lines, the accounting, the atomic rename.
Does not belong here: what the statements say (`reading`), which files land (`plan`).
"""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestration.lib.landing.manifest import (
    DATA,
    QUARANTINE,
    TEMPORARY,
    ControlTotal,
    Loads,
    Manifest,
    Stat,
)
from orchestration.lib.landing.reading import Reading
from orchestration.lib.sources.files import Scan, SetupError, SourceFile, hash_file, scan_text
from orchestration.lib.sources.values import quoted

if TYPE_CHECKING:
    import duckdb

#: Below this a file is scanned before it is read: a thread costs more than it saves.
_SMALL = 8 << 20
_PARQUET = "(format parquet)"


_EMPTY_QUARANTINE = """
    select
        ''::varchar as feed,
        ''::varchar as table_name,
        0::bigint as load,
        ''::varchar as file,
        0::bigint as line,
        ''::varchar as "column",
        ''::varchar as value,
        ''::varchar as reason
    where false"""


class LandingError(RuntimeError):
    """Rows of a file cannot be accounted for; nothing of it landed."""


@dataclass(frozen=True)
class Accounting:
    """What became of the records of one file."""

    raw: int
    landed: int
    quarantined: int
    excluded: dict[str, int]
    lookups: dict[str, int]


class FileLoad:
    """The landing of one file as one load."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        reading: Reading,
        loads: Loads,
        as_of: datetime,
        sha256: str | None,
    ) -> None:
        self.con = con
        self.reading = reading
        self.file: SourceFile = reading.file
        self.loads = loads
        self.as_of = as_of
        self.sha256 = sha256
        self.number = loads.next_number
        self.folder = loads.folder / f"{TEMPORARY}{os.getpid()}-{self.number:06d}"

    def run(self) -> Manifest:
        """Land the file: everything in a folder that gets its name at the very end."""
        read_at = time.time_ns()
        stat = Stat.of(self.file.path)
        self.folder.mkdir(parents=True)
        try:
            self.file.scratch = self.folder / "scratch"
            self.file.scratch.mkdir()
            accounting = self._account()
            manifest = self._manifest(accounting, stat, read_at)
            if Stat.of(self.file.path) != stat:
                raise LandingError(
                    f"{self.file.path} was written to while it was read; run again when its writer"
                    " is done (or write elsewhere and move it in place)"
                )
            shutil.rmtree(self.file.scratch)
            manifest.write(self.folder)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.folder.rename(self.loads.path(manifest))
        self.loads.manifests.append(manifest)
        return manifest

    # -- rows ---------------------------------------------------------------------------------

    def _account(self) -> Accounting:
        if not self.file.is_text:
            return self._finish(self._copy_landed(), self._independent_count(), refused=False)
        landed, scan = self._copy_and_scan()
        positions = self.file.refused_positions()
        if scan.is_plain and not positions:
            return self._finish(landed, scan.lines - self.file.header_lines, refused=False)
        # Records are not simply lines, or a refused one shifts those after it. The landed rows get
        # their lines from themselves: that costs less than half of reading the file again.
        located = self.file.use_exact_lines(positions)
        if len(located.refused) != 2 * len(positions):
            raise self._disagreement(located.records, "a refused one is not among them")
        data, exact = self.folder / DATA, self.folder / f"exact.{DATA}"
        query = self.file.restamped(data)
        self.con.execute(f"copy ({query}) to {quoted(str(exact))} {_PARQUET}")
        exact.replace(data)
        return self._finish(landed, located.records, refused=bool(positions))

    def _copy_and_scan(self) -> tuple[int, Scan]:
        """Read and scan the file, at the same time if it is large."""
        if self.file.must_be_copied:
            self.sha256 = self.sha256 or hash_file(self.file.path)
            return self._copy_normalised()
        if self.file.path.stat().st_size <= _SMALL:
            scan = self._scan()
            return self._copy_normalised() if scan.has_mixed_ends else (self._copy_landed(), scan)
        with ThreadPoolExecutor(1) as pool:
            # Hashing and counting release the GIL; they end long before the reader does.
            future = pool.submit(scan_text, self.file.path, self.file.quote_byte)
            landed, error = self._try_copy()
            scan = future.result()
        self.sha256 = scan.sha256
        if scan.has_mixed_ends:
            return self._copy_normalised()
        if landed is None:
            raise error or self._disagreement(scan.lines, "none could be read")
        return landed, scan

    def _copy_normalised(self) -> tuple[int, Scan]:
        self.file.copy_readable()
        return self._copy_landed(), self.file.scan()

    def _scan(self) -> Scan:
        scan = self.file.scan()
        self.sha256 = scan.sha256
        return scan

    def _try_copy(self) -> tuple[int | None, Exception | None]:
        """The copy, or the reader's error: mixed line ends, known only after the scan."""
        import duckdb

        try:
            return self._copy_landed(), None
        except duckdb.Error as error:
            return None, error

    def _copy_landed(self) -> int:
        self.file.forget_refused()
        query = self.reading.landed(self.number, self.as_of.isoformat(sep=" "))
        row = self.con.execute(
            f"copy ({query}) to {quoted(str(self.folder / DATA))} {_PARQUET}"
        ).fetchone()
        return int(row[0]) if row else 0

    def _independent_count(self) -> int:
        """Records by another path than the typed statement: metadata, or the bare sheet."""
        path = quoted(str(self.file.path))
        if self.file.format == "parquet":
            query = f"select sum(num_rows)::bigint from parquet_file_metadata({path})"
        else:
            query = f"select count(*) from ({self.file.relation()})"
        row = self.con.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _finish(self, landed: int, raw: int, *, refused: bool) -> Accounting:
        """Count what did not land, and write the quarantine."""
        if self.sha256 is None:
            self.sha256 = hash_file(self.file.path)
        reading = self.reading
        nothing = {reason: 0 for reason, _ in reading.exclusions}
        if landed == raw and not reading.has_lookups:
            self._copy_quarantine(_EMPTY_QUARANTINE)
            return Accounting(raw, landed, 0, nothing, {})
        table = None
        if refused:
            # The statements below read the file again, and would fill the rejects again.
            self.con.execute(
                f"create or replace temp table refused_record as {self.file.refused_relation()}"
            )
            table = "from refused_record"
        self.file.forget_refused()
        excluded, lookups = nothing, dict[str, int]()
        if reading.exclusions or reading.has_lookups:
            counted = self.con.execute(reading.counts()).fetchone()
            excluded, lookups = reading.named_counts(counted or ())
            self.file.forget_refused()
        kept = landed + sum(excluded.values())
        self._copy_quarantine(
            _EMPTY_QUARANTINE if kept == raw else reading.bad_cells(self.number, table)
        )
        row = self.con.execute(
            f"select count(distinct line) from {quoted(str(self.folder / QUARANTINE))}"
        ).fetchone()
        quarantined = int(row[0]) if row else 0
        if kept + quarantined != raw:
            raise self._disagreement(raw, f"{kept + quarantined} were accounted for")
        return Accounting(raw, landed, quarantined, excluded, lookups)

    def _copy_quarantine(self, query: str) -> None:
        self.con.execute(f"copy ({query}) to {quoted(str(self.folder / QUARANTINE))} {_PARQUET}")

    def _disagreement(self, raw: int, what: str) -> LandingError:
        return LandingError(
            f"{self.file.path}: {raw} records were counted, and {what}. Quotes are probably used"
            f" in another way than declared: check `quote` and `delimiter`"
            f" ({self.reading.source.declared_at})"
        )

    # -- the manifest -------------------------------------------------------------------------

    def _manifest(self, accounting: Accounting, stat: Stat, read_at: int) -> Manifest:
        source = self.reading.source
        mapping = source.mapping_sha256
        if self.sha256 is None:
            raise SetupError(f"{self.file.path}: not hashed")
        span, cost = self._content()
        return Manifest(
            feed=source.feed,
            table=source.table.name,
            load=self.number,
            file=self.file.name,
            mode=source.mode,
            sha256=self.sha256,
            mapping_sha256=mapping,
            loaded_at=self.as_of.isoformat(sep=" "),
            raw_rows=accounting.raw,
            landed_rows=accounting.landed,
            quarantined_rows=accounting.quarantined,
            excluded=accounting.excluded,
            lookups=accounting.lookups,
            data_from=span[0],
            data_to=span[1],
            cost=cost,
            control_totals=self._control_totals(),
            replaces=self._replaced(mapping),
            stat=stat,
            read_at_ns=read_at,
        )

    def _replaced(self, mapping: str) -> list[int]:
        """Loads of these very bytes of this file under another mapping, if the newest is one."""
        newest = self.loads.newest(self.file.name)
        if self.reading.source.mode == "append":
            newest = next((m for m in self.loads.live if m.sha256 == self.sha256), None)
        is_same = newest is not None and newest.sha256 == self.sha256
        return [newest.load] if newest and is_same and newest.mapping_sha256 != mapping else []

    def _content(self) -> tuple[tuple[str | None, str | None], dict[str, str]]:
        """The span of the landed data, and what it cost."""
        table = self.reading.source.table
        data = f"read_parquet({quoted(str(self.folder / DATA))})"
        span: tuple[Any, ...] | None = (None, None)
        if table.time_column:
            span = self.con.execute(
                f"select min({table.time_column})::timestamp::varchar,"
                f" max({table.time_column})::timestamp::varchar from {data}"
            ).fetchone()
        cost: dict[str, str] = {}
        if table.name == "spend":
            cost = dict(
                self.con.execute(
                    f"select currency, sum(cost)::varchar from {data} group by all order by all"
                ).fetchall()
            )
        start, end = span or (None, None)
        return (start, end), cost

    def _control_totals(self) -> list[ControlTotal]:
        if self.reading.source.table.name != "spend":
            return []
        self.file.forget_refused()
        rows = self.con.execute(self.reading.control_totals()).fetchall()
        return [
            ControlTotal(source, account, month, currency, _units(nanos), rows_)
            for source, account, month, currency, nanos, rows_ in rows
        ]


def _units(nanos: str) -> str:
    return f"{Decimal(nanos).scaleb(-9):f}"
