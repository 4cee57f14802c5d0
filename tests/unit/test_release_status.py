"""`tieout status`: what it says, from JSON files alone, at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestration.cli.status import read_status
from orchestration.lib.release import history
from orchestration.lib.release.receipt import FreshnessLine, LawLine, Receipt, instant, read_receipt
from orchestration.settings import REPO, Home

NOW = datetime(2026, 2, 10, 12, 0, tzinfo=UTC)
LAW = LawLine("B1", "spend ties out", "block", "held", None, 1, 1, 0, "minor", "USD", 0, 0, "Fin")


def receipt(**changed: Any) -> Receipt:
    facts: dict[str, Any] = {
        "format": 1,
        "number": 1,
        "previous": None,
        "passed": True,
        "as_of": "2025-12-31T00:00:00Z",
        "sealed_at": instant(NOW - timedelta(hours=1)),
        "plan_version": None,
        "code_version": "abc",
        "company": "Sample Inc",
        "reporting_currency": "USD",
        "engine": "duckdb",
        "content_algorithm": "x",
        "content_sha256": "c",
        "file_sha256": "f",
        "file_bytes": 1,
        "laws": (LAW,),
        "tables": (),
        "freshness": (FreshnessLine("ads", "spend", None, None, 2),),
        "changes": {},
        "not_compared": (),
    }
    return Receipt(**facts | changed)


def event(action: history.Action, number: int, hour: int, *laws: str) -> history.Event:
    at = instant(NOW.replace(hour=hour))
    return history.Event(action, number, at, "f", "r", "why", laws)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    (made.releases / "1").mkdir(parents=True)
    (made.releases / "1" / "receipt.json").write_text(receipt().to_json())
    made.current.symlink_to("releases/1")
    history.append(made, event("published", 1, 9))
    return made


def test_a_receipt_round_trips(home: Home) -> None:
    assert read_receipt(home.releases / "1" / "receipt.json") == receipt()


def test_a_fresh_publication(home: Home) -> None:
    found = read_status(home, NOW)
    assert found.published is not None
    assert (found.published.number, found.published.age_seconds) == (1, 3600)
    assert found.published.laws == {"held": 1}
    assert (found.stale, found.blocked, found.writer) == ((), None, None)


def test_it_is_stale_past_the_shortest_cadence(home: Home) -> None:
    assert "2 hours" in read_status(home, NOW + timedelta(hours=2)).stale[0]


def test_blocked_since_the_first_in_a_row(home: Home) -> None:
    history.append(home, event("blocked", 2, 9, "B9"))
    history.append(home, event("published", 2, 9))
    history.append(home, event("blocked", 3, 10, "B1"))
    history.append(home, event("blocked", 3, 11, "B2", "B3"))
    found = read_status(home, NOW)
    assert found.blocked is not None
    assert found.blocked.laws == ("B2", "B3")
    assert found.blocked.since == instant(NOW.replace(hour=10))
    assert found.blocked.runs == 2
    assert found.stale == (f"blocked since {found.blocked.since}",)


def test_the_page_to_open_is_the_one_with_the_banner_while_runs_are_blocked(home: Home) -> None:
    assert read_status(home, NOW).scorecard is None
    for page in (home.releases / "1" / "scorecard.html", home.scorecard):
        page.parent.mkdir(exist_ok=True)
        page.write_text("a page")
    assert read_status(home, NOW).scorecard == str(home.current / "scorecard.html")
    history.append(home, event("blocked", 2, 10, "B1"))
    assert read_status(home, NOW).scorecard == str(home.scorecard)


def test_nothing_published(tmp_path: Path) -> None:
    found = read_status(Home(tmp_path), NOW)
    assert (found.published, found.stale, found.blocked) == (None, (), None)


def test_as_a_process_it_is_quick_and_imports_nothing_heavy(home: Home) -> None:
    script = """
import sys, typer
from orchestration.cli.status import status
heavy = {"duckdb", "pydantic", "rich", "pandas", "dagster", "great_expectations"}
found = heavy & set(sys.modules)
app = typer.Typer()
app.command()(status)
app(["--json"], standalone_mode=False)
found |= (heavy - {"pydantic"}) & set(sys.modules)  # typer imports pydantic where it reads words
sys.exit(f"imported: {found}" if found else 0)
"""
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(REPO), "TIEOUT_HOME": str(home.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    after = os.times()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["published"]["number"] == 1
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    assert spent < 0.5
