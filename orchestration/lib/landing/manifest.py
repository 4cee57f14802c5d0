"""What is known of a load: the manifest beside its Parquet, and which loads count.

Belongs here: reading and writing manifests, and the rules of restatement (which load of a file is
the newest, which was replaced by a new mapping, which a run reads).
Does not belong here: how a file is read (`load`) and where a run finds its inputs (`inputs`).
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

TEMPORARY = ".tmp-"
MANIFEST = "manifest.json"
DATA = "data.parquet"
QUARANTINE = "quarantine.parquet"


@dataclass(frozen=True)
class Stat:
    """What the file system says of a file; any write changes `ctime_ns`, which nobody can set."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: Path) -> Stat:
        """The file's state now."""
        stat = path.stat()
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev)


@dataclass(frozen=True)
class ControlTotal:
    """Spend of one source, account, month and currency, summed from the raw text."""

    source: str | None
    account: str | None
    month: str | None
    currency: str | None
    cost: str
    rows: int


@dataclass(frozen=True)
class Manifest:
    """One load: what was read, and what became of every row of it."""

    feed: str
    table: str
    load: int
    file: str
    mode: str
    sha256: str
    mapping_sha256: str
    loaded_at: str
    raw_rows: int
    landed_rows: int
    quarantined_rows: int
    excluded: dict[str, int]
    lookups: dict[str, int]
    data_from: str | None
    data_to: str | None
    #: Landed spend by currency (empty for other tables).
    cost: dict[str, str]
    control_totals: list[ControlTotal]
    #: Loads of the same bytes under an older mapping, which this one takes the place of.
    replaces: list[int]
    stat: Stat
    #: Wall clock when reading began; only judges whether `stat` may be trusted.
    read_at_ns: int

    @property
    def excluded_rows(self) -> int:
        """Rows left out on purpose."""
        return sum(self.excluded.values())

    def write(self, folder: Path) -> None:
        """Write it, on disk before the folder gets its name."""
        with (folder / MANIFEST).open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1, sort_keys=True, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())


@dataclass
class Loads:
    """All loads of one (feed, table)."""

    folder: Path
    manifests: list[Manifest] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Loads:
        """Read the manifests, oldest first, and sweep what a killed run left behind."""
        loads = cls(folder)
        if not folder.is_dir():
            return loads
        for entry in sorted(os.scandir(folder), key=lambda item: item.name):
            if entry.name.startswith(TEMPORARY):
                shutil.rmtree(entry.path)
            elif entry.is_dir():
                loads.manifests.append(_read(Path(entry.path) / MANIFEST))
        return loads

    @property
    def next_number(self) -> int:
        """The number of the load to come."""
        return max((manifest.load for manifest in self.manifests), default=0) + 1

    def path(self, manifest: Manifest) -> Path:
        """The folder of a load."""
        return self.folder / f"{manifest.load:06d}"

    @property
    def live(self) -> list[Manifest]:
        """The loads that no newer mapping of the same bytes has replaced, oldest first."""
        replaced = {number for manifest in self.manifests for number in manifest.replaces}
        return [manifest for manifest in self.manifests if manifest.load not in replaced]

    def newest(self, file: str) -> Manifest | None:
        """The newest load of a file."""
        return next((m for m in reversed(self.live) if m.file == file), None)

    def current(self, files: set[str], mode: str) -> list[Manifest]:
        """The loads that say what the source says now, given the files that match now."""
        if mode == "append":
            return self.live
        newest = {manifest.file: manifest for manifest in self.live}
        return sorted(
            (m for name, m in newest.items() if name in files), key=lambda item: item.load
        )


def _read(path: Path) -> Manifest:
    body = json.loads(path.read_text(encoding="utf-8"))
    body["stat"] = Stat(**body["stat"])
    body["control_totals"] = [ControlTotal(**total) for total in body["control_totals"]]
    return Manifest(**body)
