"""The judge as the run sees it: a subprocess, started early, asked once the candidate is frozen.

Great Expectations takes seconds to import; a subprocess does that while dbt runs, and takes its
memory with it when it ends. Imports neither Great Expectations nor the project's other packages.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from expectations.verdict import Verdict

#: The folder that holds the package, for the subprocess to find it wherever it is started.
_IMPORT_ROOT = Path(__file__).resolve().parent.parent

#: Judging 10 million journal entries takes well under a minute; more than this is a hang.
DEFAULT_TIMEOUT_SECONDS = 1800.0

_TAIL_CHARACTERS = 4000


class JudgeError(RuntimeError):
    """The judge gave no verdict. Nothing may be published on its word."""


class Judge:
    """A warm judge: `with Judge.start() as judge: verdict = judge.verdict(path)`."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        errors: IO[bytes],
        *,
        memory: str | None,
        threads: int | None,
    ) -> None:
        self._process = process
        self._errors = errors
        self._memory = memory
        self._threads = threads
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name="judge-answers", daemon=True)
        self._reader.start()
        #: Seconds the subprocess took to become ready, once it said so.
        self.warm_up_seconds: float | None = None

    @classmethod
    def start(
        cls,
        *,
        memory: str | None = None,
        threads: int | None = None,
        command: list[str] | None = None,
    ) -> Judge:
        """Starts the subprocess and returns at once, while it imports what it needs.

        `memory` and `threads` bound its DuckDB; `command` replaces the program (for tests).
        """
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join(
            part for part in (str(_IMPORT_ROOT), environment.get("PYTHONPATH", "")) if part
        )
        environment["PYTHONIOENCODING"] = "utf-8"
        # A file, not a pipe: it cannot fill up and stall the judge.
        errors = tempfile.TemporaryFile(prefix="tieout-judge-")  # noqa: SIM115 - closed in close()
        process = subprocess.Popen(
            command or [sys.executable, "-m", "expectations"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        return cls(process, errors, memory=memory, threads=threads)

    @property
    def pid(self) -> int:
        """The subprocess's process id."""
        return self._process.pid

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def verdict(
        self,
        candidate: Path,
        *,
        laws: Path | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        on_law: Callable[[str], None] | None = None,
    ) -> Verdict:
        """Judges the file; raises JudgeError if the judge dies, rambles or takes too long.

        `laws` is a folder of law files, the project's own by default; `on_law` is told each law
        as its queries start.
        """
        deadline = time.monotonic() + timeout_seconds
        request = {
            "candidate": str(candidate),
            "laws": str(laws) if laws is not None else None,
            "memory": self._memory,
            "threads": self._threads,
        }
        self._ask(request)
        while True:
            answer = self._answer(deadline, timeout_seconds)
            if "ready" in answer:
                self.warm_up_seconds = float(answer["ready"])
            elif "law" in answer:
                if on_law is not None:
                    on_law(str(answer["law"]))
            elif "verdict" in answer:
                try:
                    return Verdict.from_dict(answer["verdict"])
                except (TypeError, KeyError) as error:
                    failure = self._failure(f"answered with an incomplete verdict: {error}")
                    raise failure from error
            else:
                raise self._failure(f"answered with something unknown: {sorted(answer)}")

    def close(self) -> None:
        """Ends the subprocess; asks first, then insists. Safe to call twice."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            # A broken pipe means that it is gone already, which is what was wanted.
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=5)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _ask(self, request: dict[str, Any]) -> None:
        if self._process.stdin is None or self._process.stdin.closed:
            raise JudgeError("the judge was closed before it was asked")
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._failure("was gone before it was asked") from error

    def _answer(self, deadline: float, timeout_seconds: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.0))
        except queue.Empty:
            self._process.kill()
            raise self._failure(f"gave no verdict within {timeout_seconds:g} s") from None
        if line is None:
            raise self._failure("ended without a verdict")
        try:
            answer = json.loads(line)
        except json.JSONDecodeError as error:
            self._process.kill()
            failure = self._failure(f"answered with something that is no JSON: {line[:200]!r}")
            raise failure from error
        if not isinstance(answer, dict):
            self._process.kill()
            raise self._failure(f"answered with something unknown: {line[:200]!r}")
        return answer

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line)
        self._lines.put(None)

    def _failure(self, what: str) -> JudgeError:
        """The error, with how the subprocess ended and the end of what it wrote to stderr."""
        try:
            code: int | None = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            code = None
        ended = "" if code is None else f" (exit code {code})"
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(size - _TAIL_CHARACTERS, 0))
        tail = self._errors.read().decode("utf-8", errors="replace").strip()
        wrote = f"\nIts last words:\n{tail}" if tail else ""
        return JudgeError(f"the judge {what}{ended}; nothing was published.{wrote}")
