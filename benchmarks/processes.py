"""One command in a process of its own: how long it took, its processor time, its peak memory.

Belongs here: watching the tree of processes below a command, and what it used between two instants.
Does not belong here: which commands are measured (`sides`), how it is shown (`report`).

Memory is resident memory, summed over the tree as `ps` shows it: pages that two of its processes
share count twice, so the figure is never too small. It is sampled; the kernel's own high-water
mark of each single process (`VmHWM`) is read too, so that no peak of one process is missed.
"""

from __future__ import annotations

import bisect
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

#: Between two looks at the processes that are known, and between two looks for new ones (the
#: kernel has no list of a process's children everywhere, so that takes all of /proc).
_EVERY_SECONDS = 0.03
_SEARCH_SECONDS = 0.3
_PROC = Path("/proc")


class BenchmarkError(RuntimeError):
    """A side did not do its work; figures of it would mean nothing."""


@dataclass(frozen=True)
class Use:
    """What was used between two instants."""

    seconds: float
    processor_seconds: float
    peak_bytes: int


@dataclass
class Watched:
    """A command that has ended: what it said, and what its tree used while it ran."""

    command: list[str]
    began: float
    ended: float = 0.0
    exit_code: int = 0
    processor_seconds: float = 0.0
    out: str = ""
    #: Each line of standard error with the instant at which it was read.
    lines: list[tuple[float, str]] = field(default_factory=list)
    #: Per look: when, processor seconds so far, bytes resident.
    _times: list[float] = field(default_factory=list)
    _processor: list[float] = field(default_factory=list)
    _bytes: list[int] = field(default_factory=list)
    _high_water: int = 0
    _members: list[int] = field(default_factory=list)
    _searched: float = 0.0

    @property
    def seconds(self) -> float:
        """From start to end."""
        return self.ended - self.began

    @property
    def whole(self) -> Use:
        """All of it; processor time as the kernel accounts for it, not as sampled."""
        peak = max([self._high_water, *self._bytes])
        return Use(self.seconds, self.processor_seconds, peak)

    def between(self, start: float, end: float) -> Use:
        """What was used between two instants (of `time.monotonic`)."""
        first = bisect.bisect_left(self._times, start)
        last = bisect.bisect_right(self._times, end)
        # A step shorter than the pause between two looks still gets the look next to it.
        seen = self._bytes[first:last] or self._bytes[max(first - 1, 0) : first + 1]
        spent = self._processor_at(end) - self._processor_at(start)
        return Use(max(end - start, 0.0), spent, max(seen, default=0))

    def outside(self, spans: list[tuple[float, float]]) -> Use:
        """What was used while none of these spans ran."""
        inside = [self.between(start, end) for start, end in spans]
        seen = [
            resident
            for at, resident in zip(self._times, self._bytes, strict=True)
            if not any(start <= at <= end for start, end in spans)
        ]
        return Use(
            max(self.seconds - sum(use.seconds for use in inside), 0.0),
            max(self.processor_seconds - sum(use.processor_seconds for use in inside), 0.0),
            max(seen, default=0),
        )

    def _processor_at(self, instant: float) -> float:
        at = bisect.bisect_left(self._times, instant)
        if at == 0:
            return 0.0
        if at == len(self._times):
            return self.processor_seconds
        before, after = self._times[at - 1], self._times[at]
        share = (instant - before) / (after - before)
        spent = self._processor[at] - self._processor[at - 1]
        return self._processor[at - 1] + share * spent

    def look(self, pid: int) -> None:
        """Add one sample of the tree below a process."""
        processor, resident, now = 0.0, 0, time.monotonic()
        if now - self._searched > _SEARCH_SECONDS:
            self._members, self._searched = _tree(pid), now
        for member in self._members:
            used = _use_of(member)
            processor += used[0]
            resident += used[1]
            self._high_water = max(self._high_water, used[2])
        # A child that has ended counts for its parent a moment later: time never runs back.
        processor = max(processor, self._processor[-1] if self._processor else 0.0)
        self._times.append(now)
        self._processor.append(processor)
        self._bytes.append(resident)


def watch(command: list[str], environment: dict[str, str], folder: Path) -> Watched:
    """Run a command to its end in `folder`, watched.

    Raises:
        BenchmarkError: It did not exit with 0; with the end of what it said.
    """
    if not _PROC.joinpath("self", "stat").exists():
        raise BenchmarkError("memory is read from /proc: run the benchmark on Linux")
    watched = Watched(command, time.monotonic())
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    out, err = process.stdout, process.stderr
    if out is None or err is None:
        raise BenchmarkError(f"{' '.join(command)} has no pipes")
    chunks: list[str] = []
    readers = [
        _reading(lambda: chunks.append(out.read())),
        _reading(lambda: watched.lines.extend((time.monotonic(), line) for line in err)),
    ]
    try:
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            watched.look(process.pid)
            time.sleep(_EVERY_SECONDS)
    except BaseException:
        process.kill()
        process.wait()
        raise
    watched.ended = time.monotonic()
    process.returncode = watched.exit_code = os.waitstatus_to_exitcode(status)
    watched.processor_seconds = usage.ru_utime + usage.ru_stime
    for reader in readers:
        reader.join()
    out.close()
    err.close()
    watched.out = "".join(chunks)
    if watched.exit_code != 0:
        said = "".join(line for _, line in watched.lines)[-4000:] or watched.out[-4000:]
        raise BenchmarkError(f"{' '.join(command)} exited with {watched.exit_code}:\n{said}")
    return watched


def module(name: str, *arguments: str | Path) -> list[str]:
    """The command that runs a module of ours with this very Python."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def _reading(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _tree(pid: int) -> list[int]:
    """A process and all below it that are alive."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    members = [pid]
    for member in members:
        members += children.get(member, [])
    return members


def _stat(pid: int) -> list[str]:
    """The fields of proc(5)'s `stat` from the third on; none if the process has ended."""
    return _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""  # It has ended since it was listed.


_TICKS = os.sysconf("SC_CLK_TCK")


def _use_of(pid: int) -> tuple[float, int, int]:
    """Processor seconds (with children that were waited for), bytes resident, their maximum."""
    stat = _stat(pid)
    # utime, stime, cutime, cstime: fields 14 to 17.
    processor = sum(map(int, stat[11:15])) / _TICKS if stat else 0.0
    sizes = {"VmRSS": 0, "VmHWM": 0}
    for line in _read(_PROC / str(pid) / "status").splitlines():
        name, _, value = line.partition(":")
        if name in sizes:
            sizes[name] = int(value.split()[0]) * 1024
    return processor, sizes["VmRSS"], sizes["VmHWM"]
