"""The record of what readers were shown: one JSON object a line, appended, never changed.

Belongs here: appending, reading, completing after a kill. The truth about what is published is the
`current` symlink; the history says when and why it came to point there. No DuckDB.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.folders import history_file, sync
from orchestration.lib.release.receipt import instant
from orchestration.settings import Home

Action = Literal["published", "rolled back", "blocked", "recovered"]


@dataclass(frozen=True)
class Event:
    """One line: what happened to which release, when, and why.

    `blocked` names the candidate that would have become `number`, and the laws that blocked it.
    `recovered` records what a killed process had done and not written down.
    """

    action: Action
    number: int
    at: str
    file_sha256: str
    receipt_sha256: str
    reason: str
    laws: tuple[str, ...] = ()


def now() -> str:
    """This instant, as the history writes it."""
    return instant(datetime.now(UTC))


def read_history(home: Home) -> list[Event]:
    """All events, oldest first; a last line that was never finished has not happened."""
    path = history_file(home)
    if not path.exists():
        return []
    events = []
    complete = path.read_text().rpartition("\n")[0]
    for number, line in enumerate(complete.splitlines(), start=1):
        try:
            fields = json.loads(line)
            events.append(Event(**fields | {"laws": tuple(fields["laws"])}))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ReleaseError(
                f"{path}, line {number} is not an event: {error!r}",
                why="the history was changed by hand",
                next_step="restore the file from a backup; the releases themselves are untouched",
            ) from error
    return events


def blocked_row(events: Sequence[Event]) -> list[Event]:
    """The unbroken row of blocked runs at the end of the history, oldest first."""
    row: list[Event] = []
    for event in reversed(events):
        if event.action != "blocked":
            break
        row.append(event)
    return row[::-1]


def append(home: Home, event: Event) -> None:
    """Add one event and have it on the disk before returning."""
    path = history_file(home)
    is_new = not path.exists()
    line = (json.dumps(asdict(event), ensure_ascii=False) + "\n").encode()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        # A power cut can leave half a line; it was never reported as done.
        whole = os.pread(descriptor, os.fstat(descriptor).st_size, 0).rpartition(b"\n")
        end = len(whole[0]) + len(whole[1])
        os.ftruncate(descriptor, end)
        os.pwrite(descriptor, line, end)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        sync(path.parent)
