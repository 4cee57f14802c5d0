"""Where things are: the only module that knows paths.

Belongs here: the state folder (`TIEOUT_HOME`), the project's own folders, names of files in them.
Does not belong here: what a company configures (`orchestration.lib.sources.config`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
DBT_PROJECT = REPO / "dbt_project"
SEEDS = REPO / "seeds"
SAMPLE_SOURCES = SEEDS / "sample" / "sources.yml"


def memory_limit() -> str:
    """What DuckDB may take while it builds and freezes the books, as DuckDB writes sizes.

    `TIEOUT_MEMORY`, or 5 GB: with Python, Dagster and the judge a whole run stays within 8 GiB.
    What does not fit is spilled to disk.
    """
    return os.environ.get("TIEOUT_MEMORY", "5GB")


def keys_folder() -> Path:
    """Where people's signing keys stand: `TIEOUT_KEYS`, or `~/.config/tieout/keys`.

    Outside the repository and the state folder: neither is for secrets.
    """
    return Path(os.environ.get("TIEOUT_KEYS") or "~/.config/tieout/keys").expanduser()


@dataclass(frozen=True)
class Home:
    """The state folder of one company: everything a run writes is below `root`.

    `landing/` typed Parquet of every load; `work/` what a run builds, unseen by readers;
    `published/` the releases and the `current` symlink; `reports/` what people open.
    """

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """The folder named by `TIEOUT_HOME`, or `.tieout` in the working directory."""
        return cls(Path(os.environ.get("TIEOUT_HOME", ".tieout")).expanduser().resolve())

    @property
    def landing(self) -> Path:
        """`<feed>/<table>/<load>/{data.parquet,quarantine.parquet,manifest.json}`."""
        return self.root / "landing"

    @property
    def work(self) -> Path:
        """Whatever a run may throw away and build again."""
        return self.root / "work"

    @property
    def inputs(self) -> Path:
        """The Parquet files this run reads: `<table>/*.parquet`, links into the landing."""
        return self.work / "inputs"

    @property
    def warehouse(self) -> Path:
        """The working warehouse; only dbt writes it, no reader opens it."""
        return self.work / "warehouse.duckdb"

    @property
    def dbt_target(self) -> Path:
        """dbt's manifest, partial parse and compiled SQL for this home."""
        return self.work / "dbt"

    @property
    def candidate(self) -> Path:
        """The folder of the candidate release, before it has passed the gate."""
        return self.work / "candidate"

    @property
    def verdict(self) -> Path:
        """The last verdict of the gate, passed or not (JSON)."""
        return self.reports / "verdict.json"

    @property
    def published(self) -> Path:
        """What readers may see."""
        return self.root / "published"

    @property
    def releases(self) -> Path:
        """`<number>/{tieout.duckdb,receipt.json,scorecard.html}`; never changed once published."""
        return self.published / "releases"

    @property
    def current(self) -> Path:
        """The symlink that readers follow."""
        return self.published / "current"

    @property
    def current_database(self) -> Path:
        """The path a BI tool opens, read-only."""
        return self.current / "tieout.duckdb"

    @property
    def reports(self) -> Path:
        """What people open: verdicts, scorecards, audit packs."""
        return self.root / "reports"

    @property
    def scorecard(self) -> Path:
        """The page people open: the last publication's, with a banner while runs are blocked."""
        return self.reports / "scorecard.html"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME: run history, schedules, sensors."""
        return self.root / "dagster"

    @property
    def notify(self) -> Path:
        """What was told to whom, so that it is told once."""
        return self.root / "notify"

    @property
    def lock(self) -> Path:
        """Held by whoever writes: one writer at a time."""
        return self.root / "run.lock"

    @property
    def person_key(self) -> Path:
        """The secret that keys person hashes, made on first use, mode 0600."""
        return self.root / "person.key"
