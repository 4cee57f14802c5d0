"""One writer at a time; a killed writer frees the lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.lib.lock import AnotherRunError, current_holder, run_lock
from orchestration.settings import REPO, Home

HOLD = """
import sys, time
from pathlib import Path
from orchestration.lib.lock import run_lock
from orchestration.settings import Home
with run_lock(Home(Path(sys.argv[1])), "tieout run"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_holder_signs_and_is_gone_afterwards(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert current_holder(home) is None
    with run_lock(home, "tieout run --as-of 2026-01-01") as holder:
        assert current_holder(home) == holder
        assert holder.pid == os.getpid()
    assert current_holder(home) is None


def test_it_is_freed_when_the_block_raises(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(ZeroDivisionError), run_lock(home):
        raise ZeroDivisionError
    assert current_holder(home) is None


def test_a_second_writer_is_told_who_writes_until_that_is_killed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPO)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        expected = rf"another run \(pid {other.pid}, since 20..-.*Z: tieout run\) is writing"
        with pytest.raises(AnotherRunError, match=expected), run_lock(home):
            pytest.fail("two writers at once")
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert home.lock.with_name("run.lock.json").exists()
    assert current_holder(home) is None
    with run_lock(home, "the next"):
        assert current_holder(home) is not None
