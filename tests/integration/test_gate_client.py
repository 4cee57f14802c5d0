"""The judge's subprocess may die, ramble or hang: each is an error that says what happened."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from expectations.client import Judge, JudgeError


def program(code: str) -> list[str]:
    """A stand-in for the judge's program."""
    return [sys.executable, "-c", code]


def failure(code: str, timeout_seconds: float = 20.0) -> str:
    with (
        Judge.start(command=program(code)) as judge,
        pytest.raises(JudgeError) as caught,
    ):
        judge.verdict(Path("any.duckdb"), timeout_seconds=timeout_seconds)
    return str(caught.value)


def test_a_crash_shows_its_last_words() -> None:
    said = failure("import sys; sys.stdin.readline(); raise RuntimeError('out of luck')")
    assert "ended without a verdict (exit code 1)" in said
    assert "RuntimeError: out of luck" in said


def test_a_crash_before_it_was_asked() -> None:
    assert "No module named nowhere" in failure("import runpy; runpy.run_module('nowhere')")


def test_garbage_is_no_verdict() -> None:
    assert "no JSON: 'hello" in failure("print('hello', flush=True); import time; time.sleep(30)")


@pytest.mark.parametrize("answer", ["[1]", '{"something": 1}'])
def test_an_unknown_answer_is_no_verdict(answer: str) -> None:
    said = failure(f"print('{answer}', flush=True); import time; time.sleep(30)")
    assert "answered with something unknown" in said


def test_half_a_verdict_is_no_verdict() -> None:
    said = failure("""print('{"verdict": {"passed": true, "results": []}}', flush=True)""")
    assert "incomplete verdict" in said


def test_a_hang_ends() -> None:
    started = time.monotonic()
    said = failure("import time; time.sleep(60)", timeout_seconds=0.5)
    assert "gave no verdict within 0.5 s" in said
    assert time.monotonic() - started < 20


def test_a_flood_on_stderr_does_not_stall_it() -> None:
    said = failure("import sys; sys.stderr.write('x' * 3_000_000); sys.exit(4)")
    assert "exit code 4" in said
    assert len(said) < 5000


def test_a_killed_judge_is_an_error() -> None:
    with Judge.start() as judge:
        os.kill(judge.pid, signal.SIGKILL)
        with pytest.raises(JudgeError, match="nothing was published"):
            judge.verdict(Path("any.duckdb"))


def test_closing_ends_the_subprocess() -> None:
    judge = Judge.start(command=program("import sys; sys.stdin.read()"))
    judge.close()
    judge.close()
    with pytest.raises(ProcessLookupError):
        os.kill(judge.pid, 0)
    with pytest.raises(JudgeError, match="closed before it was asked"):
        judge.verdict(Path("any.duckdb"))


def test_closing_insists() -> None:
    started = time.monotonic()
    Judge.start(command=program("import time; time.sleep(60)")).close()
    assert time.monotonic() - started < 10
