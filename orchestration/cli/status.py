"""`tieout status`: what is published, how old it is, and what stopped the last run.

Belongs here: gathering and showing it. It reads JSON files only and imports neither DuckDB nor
pydantic nor rich: the answer takes less than half a second as a process.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from orchestration.lib.lock import Holder, current_holder
from orchestration.lib.notify.state import read_state
from orchestration.lib.release import history
from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.folders import SCORECARD, current_number
from orchestration.lib.release.promote import Publication, publication
from orchestration.settings import Home

#: Where no feed states a cadence, books older than a day are stale.
DEFAULT_CADENCE_HOURS = 24


@dataclass(frozen=True)
class Published:
    """What readers see now."""

    number: int
    path: str
    as_of: str
    published_at: str | None
    age_seconds: int
    plan_version: str | None
    code_version: str
    laws: dict[str, int]
    #: Laws of which rows are waived, and by which waiver until when.
    waived: dict[str, str]


@dataclass(frozen=True)
class Blocked:
    """The last run did not publish: by which laws, since when (the first of the runs in a row)."""

    laws: tuple[str, ...]
    reason: str
    since: str
    last_at: str
    runs: int


@dataclass(frozen=True)
class Status:
    """The answer; `stale` holds the reasons, none when the publication is as new as promised."""

    home: str
    published: Published | None
    stale: tuple[str, ...]
    blocked: Blocked | None
    writer: Holder | None
    #: Channels that could not be reached the last time, with the reason and since when.
    not_told: tuple[str, ...] = ()
    #: The page to open: that of the publication or, while runs are blocked, the one that says so.
    scorecard: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"is_stale": bool(self.stale)}


def read_status(home: Home, now: datetime) -> Status:
    """Read the state folder; `now` is aware."""
    number = current_number(home)
    kept = None if number is None else publication(home, number)
    blocked = _blocked(history.read_history(home))
    return Status(
        home=str(home.root),
        published=None if kept is None else _published(home, kept, now),
        stale=() if kept is None else _stale(kept, blocked, now),
        blocked=blocked,
        writer=current_holder(home),
        scorecard=_scorecard(home, blocked),
        not_told=_not_told(home),
    )


def _not_told(home: Home) -> tuple[str, ...]:
    return tuple(
        f"{name}: {channel.reason}, since {channel.failing_since}; {channel.waiting} waiting"
        for name, channel in read_state(home).items()
        if channel.failing_since is not None
    )


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Show what is published, how old it is, and which law blocked the last run since when.

    Reads TIEOUT_HOME (.tieout by default). Exits 0 also when nothing is published yet.
    """
    try:
        found = read_status(Home.from_environment(), datetime.now(UTC))
    except ReleaseError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=1, ensure_ascii=False))
    else:
        typer.echo("\n".join(_lines(found)))


def _published(home: Home, kept: Publication, now: datetime) -> Published:
    receipt = kept.receipt
    laws: dict[str, int] = {}
    for line in receipt.laws:
        laws[line.status] = laws.get(line.status, 0) + 1
    return Published(
        number=kept.number,
        path=str(home.current_database),
        as_of=receipt.as_of,
        published_at=kept.published_at,
        age_seconds=max(0, int((now - _made_at(kept)).total_seconds())),
        plan_version=receipt.plan_version,
        code_version=receipt.code_version,
        laws=laws,
        waived={line.law: line.reason or "" for line in receipt.waived},
    )


def _scorecard(home: Home, blocked: Blocked | None) -> str | None:
    page = home.current / SCORECARD if blocked is None else home.scorecard
    return str(page) if page.exists() else None


def _made_at(kept: Publication) -> datetime:
    return datetime.fromisoformat(kept.receipt.sealed_at)


def _stale(kept: Publication, blocked: Blocked | None, now: datetime) -> tuple[str, ...]:
    """Why the publication is older than it should be.

    Judged by when it was made, not by its as-of time, which may be fixed in the past on purpose.
    """
    reasons = []
    if blocked is not None:
        reasons.append(f"blocked since {blocked.since}")
    cadences = [
        line.cadence_hours for line in kept.receipt.freshness if line.cadence_hours is not None
    ]
    hours = min(cadences, default=DEFAULT_CADENCE_HOURS)
    if now - _made_at(kept) > timedelta(hours=hours):
        reasons.append(f"made more than {hours} hours ago, the shortest cadence of its sources")
    return tuple(reasons)


def _blocked(events: list[history.Event]) -> Blocked | None:
    row = history.blocked_row(events)
    if not row:
        return None
    newest, oldest = row[-1], row[0]
    return Blocked(newest.laws, newest.reason, oldest.at, newest.at, len(row))


def _lines(found: Status) -> list[str]:
    lines = []
    if found.published is None:
        lines.append(f"published   nothing yet in {found.home}")
    else:
        shown = found.published
        laws = ", ".join(f"{count} {name}" for name, count in sorted(shown.laws.items()))
        lines += [
            f"published   {shown.number}, made {_age(shown.age_seconds)} ago"
            f" ({shown.published_at or 'time not recorded'})",
            f"as of       {shown.as_of}",
            f"versions    plan {shown.plan_version or '(none)'}, code {shown.code_version}",
            f"laws        {laws or 'none judged'}",
            *(f"waived      {law}: {reason}" for law, reason in shown.waived.items()),
            f"file        {shown.path}",
            *([] if found.scorecard is None else [f"scorecard   {found.scorecard}"]),
            f"stale       {'; '.join(found.stale) or 'no'}",
        ]
    if found.blocked is None:
        lines.append("last run    not blocked")
    else:
        row = found.blocked
        lines += [
            f"last run    BLOCKED by {', '.join(row.laws) or 'the gate'}, at {row.last_at}"
            f" ({row.runs} in a row since {row.since})",
            f"            {row.reason}",
            "            `tieout explain LAW` shows the rows, whose they are and what to do",
        ]
    lines += [f"not told    {line}" for line in found.not_told]
    if found.writer is not None:
        writer = found.writer
        lines.append(f"writing     pid {writer.pid}, since {writer.started_at}: {writer.command}")
    return lines


def _age(seconds: int) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} seconds"
