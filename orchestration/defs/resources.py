"""What the steps of a run share: the run's context, under the one writer's lock, and the judge.

Both are made once per run, because the job runs in one process; steps that need neither do not
make them. When the lock is free again, people are told what came of the run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from expectations.client import Judge
from orchestration.lib.after_run import after_run
from orchestration.lib.lock import run_lock
from orchestration.lib.run import Run
from orchestration.settings import Home

#: The keys the steps ask for.
BOOKS = "books"
JUDGE = "judge"


@dataclass(frozen=True)
class Resources:
    """The two resources, as definitions."""

    books: dg.ResourceDefinition
    judge: dg.ResourceDefinition

    def as_dict(self) -> dict[str, dg.ResourceDefinition]:
        """By key."""
        return {BOOKS: self.books, JUDGE: self.judge}


def made_per_run(home: Home, sources_path: Path) -> Resources:
    """For runs that Dagster starts: each takes the lock, or fails because somebody has it."""

    @dg.resource(description="The home, the configuration and the as-of instant of one run.")
    def books(context: dg.InitResourceContext) -> Iterator[Run]:
        name = context.run.run_id if context.run else "outside a run"
        run = Run(home, sources_path)
        with run_lock(home, f"dagster run {name}"):
            yield run
        # Dagster comes back here however the run ended, in the process that knows why.
        after_run(run, makes_packs=False)

    @dg.resource(description="Great Expectations in a process of its own; warms up at once.")
    def judge(_context: dg.InitResourceContext) -> Iterator[Judge]:
        with Judge.start() as started:
            yield started

    return Resources(books, judge)


def given(run: Run, judge: Judge) -> Resources:
    """For `tieout run`, which holds the lock and started the judge before it imported Dagster."""
    hardcoded = dg.ResourceDefinition.hardcoded_resource
    return Resources(hardcoded(run), hardcoded(judge))
