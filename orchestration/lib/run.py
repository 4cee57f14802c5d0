"""One run, without Dagster: what it works on, when its steps began and ended, what came of it.

Belongs here: `Run` (the context that every step of the job shares) and `Record` (what is told in
the end, as text or JSON). Does not belong here: the steps themselves (`landing`, `transform`,
`release`), the graph they form (`orchestration.defs`), how a terminal shows them
(`orchestration.cli.run`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from orchestration.lib.release.folders import SCORECARD
from orchestration.lib.transform import NodeResult, Project
from orchestration.settings import Home

if TYPE_CHECKING:
    from expectations.verdict import Verdict
    from orchestration.lib.after_run import AfterRun
    from orchestration.lib.landing import LandingPlan, TableReport
    from orchestration.lib.release.promote import Publication
    from orchestration.lib.sources.config import SourcesFile

Outcome = Literal["published", "blocked", "error"]

#: The exit codes of `tieout run`; wrong usage is 2.
EXIT_CODE: dict[Outcome, int] = {"published": 0, "error": 1, "blocked": 3}


class Listener(Protocol):
    """Who is told how a run goes, while it goes; may be called from any thread."""

    def began(self, step: str) -> None:
        """A step has begun."""

    def detail(self, step: str, text: str) -> None:
        """What the step is at."""

    def ended(self, step: str, seconds: float, note: str) -> None:
        """A step has ended; `note` says in a few words what came of it."""


class Silent:
    """Tells nobody: Dagster keeps its own events."""

    def began(self, step: str) -> None:
        """Nothing."""

    def detail(self, step: str, text: str) -> None:
        """Nothing."""

    def ended(self, step: str, seconds: float, note: str) -> None:
        """Nothing."""


@dataclass
class Step:
    """One step: when it began within the run, how long it took, what came of it."""

    name: str
    began_after: float
    seconds: float
    note: str = ""


@dataclass
class Record:
    """What became of a run; filled while it goes."""

    steps: list[Step] = field(default_factory=list)
    ingested: list[TableReport] = field(default_factory=list)
    nodes: list[NodeResult] = field(default_factory=list)
    verdict: Verdict | None = None
    publication: Publication | None = None
    same_content_as_before: bool = False
    #: What ended the run, where it was no law.
    failure: BaseException | None = None
    #: What followed it: audits of new alarms, and who was told.
    after: AfterRun | None = None

    @property
    def outcome(self) -> Outcome:
        """Published, blocked by a law, or ended by an error; an error outweighs a verdict."""
        if self.failure is not None:
            return "error"
        if self.publication is not None:
            return "published"
        if self.verdict is not None and not self.verdict.passed:
            return "blocked"
        return "error"


class Run:
    """The context that the steps of one run share."""

    def __init__(
        self,
        home: Home,
        sources_path: Path,
        *,
        as_of: datetime | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.home = home
        self.sources_path = sources_path
        self.listener = listener or Silent()
        self.record = Record()
        self.project = Project(home)
        self._as_of = as_of
        self._began = time.perf_counter()

    @cached_property
    def sources(self) -> SourcesFile:
        """The configuration, read once: a change while the run goes belongs to the next run."""
        from orchestration.lib.sources.config import load_sources

        return load_sources(self.sources_path)

    @cached_property
    def as_of(self) -> datetime:
        """The instant the books are closed at, one for all steps; UTC without a zone."""
        return self.sources.as_of(self._as_of)

    @cached_property
    def landing(self) -> LandingPlan:
        """What is to be landed; `prepare` on it looks at every file before anything lands."""
        from orchestration.lib.landing import LandingPlan

        def tell(feed: str, table: str, text: str) -> None:
            self.listener.detail("ingest", f"{feed}.{table}: {text}")

        return LandingPlan(self.home, self.sources, self.as_of, tell)

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.perf_counter() - self._began

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Measures a block; set `note` on the step to say what came of it."""
        step = Step(name, self.seconds, 0.0)
        self.listener.began(name)
        try:
            yield step
        except BaseException as error:
            step.note = "failed"
            self.record.failure = self.record.failure or error
            raise
        finally:
            step.seconds = self.seconds - step.began_after
            self.record.steps.append(step)
            self.listener.ended(name, step.seconds, step.note)

    def as_dict(self) -> dict[str, Any]:
        """The record for a program; `format` rises when a field changes its meaning."""
        record = self.record
        publication = record.publication
        return {
            "format": 1,
            "outcome": record.outcome,
            "exit_code": EXIT_CODE[record.outcome],
            "as_of": self.as_of.isoformat() + "Z" if "as_of" in self.__dict__ else None,
            "sources": str(self.sources_path),
            "home": str(self.home.root),
            "ingested": [table.as_dict() for table in record.ingested],
            "transformed": {
                "models": sum(node.resource_type != "test" for node in record.nodes),
                "tests": sum(node.resource_type == "test" for node in record.nodes),
                "failed": [asdict(node) for node in record.nodes if node.failed],
                "warned": [asdict(node) for node in record.nodes if node.status == "warn"],
            },
            "verdict": record.verdict.as_dict() if record.verdict else None,
            "published": None
            if publication is None
            else {
                "number": publication.number,
                "database": str(self.home.current_database),
                "release": str(publication.folder),
                "scorecard": str(self.home.current / SCORECARD),
                "content_sha256": publication.receipt.content_sha256,
                "file_sha256": publication.receipt.file_sha256,
                "same_content_as_before": record.same_content_as_before,
                "changes": publication.receipt.changes,
            },
            "steps": [asdict(step) for step in record.steps],
            "seconds": self.seconds,
            "error": None if record.failure is None else str(record.failure),
            "after": None if record.after is None else record.after.as_dict(),
        }
