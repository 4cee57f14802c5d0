"""What follows a run, whatever came of it: packs of new alarms, and word to those who must know.

Belongs here: the one place where a run ends for people, for `tieout run` and for runs that Dagster
starts alike. The run's lock is free by then, its outcome stands, and nothing here changes it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from orchestration.lib.audit.pack import Pack, make_missing_packs
from orchestration.lib.notify.tell import Report, tell
from orchestration.lib.run import Run
from orchestration.lib.sources.config import Channel, SourcesError

LOG = logging.getLogger("tieout.after_run")
#: Without a daemon a run makes so many packs of new alarms, the largest money first; an old home
#: that sees its first alarms has the rest with the next runs, or by `tieout audit handoff`.
PACKS_AT_MOST = 5


@dataclass(frozen=True)
class AfterRun:
    """What was made and told; `audits_left` alarms still have no pack."""

    audits: tuple[Pack, ...] = ()
    audits_left: int = 0
    told: Report = field(default_factory=Report)
    problem: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "audits": [pack.as_dict() for pack in self.audits],
            "audits_left": self.audits_left,
            "told": self.told.as_dict(),
            "problem": self.problem,
        }


def after_run(run: Run, *, makes_packs: bool) -> AfterRun:
    """Make the packs of new alarms and tell the channels; never raises.

    Args:
        run: the run that has just ended.
        makes_packs: nobody else makes them. Where Dagster's daemon runs, its sensor does, so that
            each audit is a run of its own with its history.
    """
    record = run.record
    if record.failure is not None and not isinstance(record.failure, Exception):
        return AfterRun()  # Somebody ended it, and knows.
    audits: list[Pack] = []
    left, problem = 0, None
    if makes_packs and record.publication is not None:
        try:
            audits, left = make_missing_packs(run.home, record.publication.number, PACKS_AT_MOST)
        except Exception as error:
            LOG.exception("no audit pack was made")
            problem = f"no audit pack was made: {type(error).__name__}: {error}"
    ended = record.failure is not None or record.verdict is not None
    told = tell(run.home, _channels(run), failure=record.failure, ended=ended)
    return AfterRun(tuple(audits), left, told, problem)


def _channels(run: Run) -> dict[str, Channel]:
    """None where the configuration itself is what failed: it says who would have to know."""
    try:
        return run.sources.notify.channels
    except SourcesError:
        return {}
