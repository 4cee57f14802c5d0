"""One writer at a time: the lock that every command which changes the state folder holds.

Belongs here: taking the lock, saying who has it. Does not belong here: what the holder does.

The lock is `flock` on `run.lock`. The system releases it when its holder ends, however it ends, so
a killed run leaves nothing to clean up. Who holds it stands beside it in `run.lock.json`; that
file is told to people and never decides anything.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.settings import Home

#: `tieout status` tests the lock for an instant and a holder needs an instant to sign: a writer
#: tries for this long before it gives up.
PATIENCE_SECONDS = 0.5


@dataclass(frozen=True)
class Holder:
    """Who holds the lock; `started_at` is ISO 8601 in UTC."""

    pid: int
    started_at: str
    command: str


class AnotherRunError(Exception):
    """Somebody else is writing; `holder` is None where it has not signed yet."""

    def __init__(self, lock: Path, holder: Holder | None) -> None:
        who = "a process that has not signed the lock"
        if holder is not None:
            who = f"pid {holder.pid}, since {holder.started_at}: {holder.command}"
        super().__init__(
            f"another run ({who}) is writing. Wait until it has ended, or end it: the lock is "
            f"freed with its process, and what it had not published stays unseen. Lock: {lock}"
        )
        self.holder = holder


@contextmanager
def run_lock(home: Home, command: str | None = None) -> Iterator[Holder]:
    """Hold the one writer's lock for the length of the block, or raise `AnotherRunError`.

    Args:
        home: the state folder to write.
        command: what the holder is doing, for the others to read; the command line by default.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not _acquire(descriptor):
            raise AnotherRunError(home.lock, _signature(home))
        holder = Holder(
            pid=os.getpid(),
            started_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            command=command if command is not None else " ".join(sys.argv),
        )
        _sign(home, holder)
        try:
            yield holder
        finally:
            _side_file(home).unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def current_holder(home: Home) -> Holder | None:
    """Who is writing now, or None. A side file that a killed run left behind does not count."""
    if not home.lock.exists():
        return None
    descriptor = os.open(home.lock, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _signature(home) or Holder(pid=0, started_at="unknown", command="unknown")
    finally:
        os.close(descriptor)
    return None


def _acquire(descriptor: int) -> bool:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                return False
            time.sleep(0.02)
        else:
            return True


def _side_file(home: Home) -> Path:
    return home.lock.with_name(home.lock.name + ".json")


def _sign(home: Home, holder: Holder) -> None:
    fresh = home.lock.with_name(f"{home.lock.name}.json.{holder.pid}")
    fresh.write_text(json.dumps(asdict(holder)) + "\n")
    fresh.replace(_side_file(home))


def _signature(home: Home) -> Holder | None:
    side_file = _side_file(home)
    try:
        return Holder(**json.loads(side_file.read_text()))
    except FileNotFoundError:
        return None
