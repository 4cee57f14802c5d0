"""The pack of one alarm, as a folder that is there whole or not at all.

Belongs here: its files, their place below `reports/`, their hashes. Does not belong here: what they
say (`cohort`, `page`).

`reports/audit/<key>_<what>/publication-<n>/` holds index.html, a CSV of each table and
manifest.json. The same alarm of the same publication gives the same bytes, so a folder that is
there is not made again.
"""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from filelock import FileLock

from orchestration.lib.audit.alarms import Alarm, read_alarms
from orchestration.lib.audit.cohort import Table, read_cohort
from orchestration.lib.audit.page import render
from orchestration.lib.explain import Money
from orchestration.lib.release.folders import file_sha256, sync
from orchestration.lib.release.promote import Publication, publication
from orchestration.lib.release.reader import open_release
from orchestration.settings import Home

#: Rises when a file of the pack changes its meaning.
FORMAT = 1
MANIFEST = "manifest.json"
#: What begins a formula in a spreadsheet, when a text from a CRM begins with it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Pack:
    """Where the pack of an alarm is; `is_new` if it was made just now."""

    alarm: Alarm
    publication: int
    folder: Path
    is_new: bool

    @property
    def page(self) -> Path:
        """What people open."""
        return self.folder / "index.html"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return self.alarm.as_dict() | {
            "publication": self.publication,
            "pack": str(self.folder),
            "page": str(self.page),
            "is_new": self.is_new,
        }


def audits_folder(home: Home) -> Path:
    """Where all packs are."""
    return home.reports / "audit"


def alarm_folder(home: Home, alarm: Alarm) -> Path:
    """Where the packs of one alarm are, of whichever publication."""
    return audits_folder(home) / alarm.folder_name


def pack_of(home: Home, alarm: Alarm) -> Path | None:
    """The newest pack of an alarm, if there is one."""
    kept = {
        int(folder.name.removeprefix("publication-")): folder
        for folder in alarm_folder(home, alarm).glob("publication-*")
        if (folder / MANIFEST).is_file()
    }
    return kept[max(kept)] if kept else None


def standing_alarms(home: Home, number: int) -> list[Alarm]:
    """The alarms of a publication."""
    with open_release(publication(home, number).database) as connection:
        return read_alarms(connection)


def make_packs(home: Home, number: int, keys: Sequence[str]) -> list[Pack]:
    """The packs of these alarms of a publication; a key that it does not hold is left out."""
    kept = publication(home, number)
    audits_folder(home).mkdir(parents=True, exist_ok=True)
    # One at a time: whoever comes second finds what the first has made.
    with FileLock(audits_folder(home) / ".lock"), open_release(kept.database) as connection:
        alarms = [alarm for alarm in read_alarms(connection) if alarm.key in keys]
        return [_make(home, connection, alarm, kept) for alarm in alarms]


def make_missing_packs(home: Home, number: int, at_most: int) -> tuple[list[Pack], int]:
    """Packs of the alarms that have none yet, and how many were left over.

    For whoever runs without a daemon: what it leaves, the next run makes.
    """
    missing = [alarm for alarm in standing_alarms(home, number) if pack_of(home, alarm) is None]
    chosen = [alarm.key for alarm in missing[:at_most]]
    return (make_packs(home, number, chosen) if chosen else []), len(missing) - len(chosen)


def _make(home: Home, connection: Any, alarm: Alarm, kept: Publication) -> Pack:
    folder = alarm_folder(home, alarm) / f"publication-{kept.number}"
    if (folder / MANIFEST).is_file():
        return Pack(alarm, kept.number, folder, is_new=False)
    cohort = read_cohort(connection, alarm)
    with _put_in_place(folder) as making:
        money, receipt = Money.of_the_world(), kept.receipt
        page = making / "index.html"
        page.write_text(render(cohort, kept.number, receipt.content_sha256, money), "utf-8")
        counts = {
            f"{table.name}.csv": _write_csv(
                making / f"{table.name}.csv", table, alarm.currency, money
            )
            for table in cohort.tables
        }
        manifest = {
            "format": FORMAT,
            "alarm": alarm.as_dict(),
            "publication": kept.number,
            "as_of": receipt.as_of,
            "content_sha256": receipt.content_sha256,
            "file_sha256": receipt.file_sha256,
            "leads": cohort.leads,
            "accepted": cohort.accepted,
            "waiting": cohort.waiting,
            "sla_breaches": cohort.breaches,
            "amount_minor": cohort.amount_minor,
            "files": {
                path.name: {"sha256": file_sha256(path), "rows": counts.get(path.name)}
                for path in sorted(making.iterdir())
            },
        }
        text = json.dumps(manifest, indent=1, ensure_ascii=False, default=_plain) + "\n"
        (making / MANIFEST).write_text(text, "utf-8")
    return Pack(alarm, kept.number, folder, is_new=True)


@contextmanager
def _put_in_place(folder: Path) -> Iterator[Path]:
    """A folder to write, beside its place and renamed: a kill leaves no half that anybody sees."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for leftover in folder.parent.glob(".making-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        yield making
        for path in making.iterdir():
            sync(path)
        making.chmod(0o755)
        making.rename(folder)
        sync(folder.parent)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _write_csv(path: Path, table: Table, currency: str, money: Money) -> int:
    """Comma-separated, with a header; money also as people write it. The number of rows."""
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for names, batch in table.batches():
            if not written:
                writer.writerow(
                    head
                    for name in names
                    for head in ([name, name.removesuffix("_minor")] if _is_money(name) else [name])
                )
            writer.writerows(
                [
                    cell
                    for name, value in zip(names, row, strict=True)
                    for cell in _cells(name, value, currency, money)
                ]
                for row in batch
            )
            written += len(batch)
    return written


def _is_money(name: str) -> bool:
    return name.endswith("_minor")


def _cells(name: str, value: Any, currency: str, money: Money) -> list[Any]:
    if not _is_money(name):
        return [_cell(value)]
    return [_cell(value), "" if value is None else money.amount(value, currency).replace(",", "")]


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula is made a text."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    return "" if value is None else value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    return float(value) if isinstance(value, Decimal) else str(value)
