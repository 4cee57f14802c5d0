"""What somebody sees who opens Dagster: the lineage, and a broken law with its rows.

A real `tieout ui` on loopback, read by a real headless Chromium: the page once its scripts have
run.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.settings import Home
from tests.pipeline.conftest import changed, close_the_books, cost_plus_one

START_SECONDS = 120
RUN_SECONDS = 240


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, "tieout ui ended before it answered"
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"no answer from {address} within {START_SECONDS} s")


@pytest.fixture(scope="module")
def ui(published: tuple[Home, Path]) -> Iterator[str]:
    """The address of Dagster, showing the blocked run as the latest one."""
    home, sources = published
    with changed(sources.parent / "data" / "control_totals.csv", cost_plus_one):
        assert close_the_books(home, sources).exit_code == 3
        port = free_port()
        server = subprocess.Popen(
            [
                Path(sys.executable).parent / "tieout",
                "ui",
                "--port",
                str(port),
                "--pages-port",
                str(free_port()),
                "--sources",
                str(sources),
            ],
            env=os.environ | {"TIEOUT_HOME": str(home.root)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)


def page(browser: Path, address: str, profile: Path) -> str:
    """The document of a page once its scripts have run."""
    done = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={profile}",
            "--window-size=1800,1100",
            "--virtual-time-budget=40000",
            "--dump-dom",
            address,
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    return done.stdout


def test_lineage_runs_from_raw_to_release(ui: str, browser_path: Path, tmp_path: Path) -> None:
    shown = page(browser_path, f"{ui}/asset-groups", tmp_path / "profile")
    for group in ("raw", "landed", "staging", "intermediate", "marts", "audit", "release"):
        assert f">{group}<" in shown


def test_broken_law_is_shown_with_its_rows(ui: str, browser_path: Path, tmp_path: Path) -> None:
    address = f"{ui}/assets/fct_spend__campaign_daily?view=checks"
    # The sensor sees the files for the first time and starts a run: until its verdict is in, the
    # page says that the check is being made.
    deadline = time.monotonic() + RUN_SECONDS
    shown = page(browser_path, address, tmp_path / "profile")
    while "Failed" not in shown and time.monotonic() < deadline:
        shown = page(browser_path, address, tmp_path / "profile")
    assert "Failed" in shown
    assert "blocking" in shown
    assert "the books differ from the declared control total" in shown
