"""What every test stands on: a clean environment, tiers that police themselves, shared fixtures.

Belongs here: what more than one tier needs. Does not belong here: fixtures of one subject (they
stand beside its tests) and anything that builds data (seeds/sample has the generator).

Tiers: `unit` (no Dagster, no dbt, seconds), `integration` (DuckDB, dbt on small seeds), `pipeline`
(the whole job in process), `conventions` (the repository as text).
"""

from __future__ import annotations

import builtins
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

REPO = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# --- The environment -----------------------------------------------------------------------------
# Set when this file is read, before any test module is imported.

#: 12 h 45 min ahead of UTC, with summer time: a local time taken for UTC changes day or fails.
os.environ["TZ"] = "Pacific/Chatham"
time.tzset()

#: Where the real inputs are; how many random companies and plans a soak tries (`make soak`).
_ASKED_FOR = {"TIEOUT_REAL_DATA", "TIEOUT_COMPANIES", "TIEOUT_PLANS"}
for _name in list(os.environ):
    # A developer's own books, instance or project must not be touched, nor change a result.
    _ours = _name.startswith(("TIEOUT_", "DAGSTER_", "DBT_")) and _name not in _ASKED_FOR
    if _ours or _name.lower() in {"http_proxy", "https_proxy", "all_proxy", "pythonpath"}:
        del os.environ[_name]

os.environ |= {
    "DO_NOT_TRACK": "1",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "NO_COLOR": "1",
    "COLUMNS": "120",
}
os.environ.pop("FORCE_COLOR", None)

# --- Hypothesis ----------------------------------------------------------------------------------

settings.register_profile(
    "ci",
    derandomize=True,  # a red build is red again when it is run again
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "dev", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if IN_CI else "dev")

# --- Tiers ---------------------------------------------------------------------------------------

TIERS = ("unit", "integration", "pipeline", "conventions")
#: What a unit test may not import, directly or through what it tests.
BARRED_FROM_UNIT = frozenset({"dagster", "dagster_dbt", "dbt"})
#: Processor seconds of one unit test, its subprocesses' included (wall time would punish a busy
#: machine).
UNIT_SECONDS = 5.0
_SPENT = pytest.StashKey[float]()


def tier_of(path: Path) -> str:
    """The tier a test file belongs to; a file outside the tiers is an error."""
    parts = path.resolve().relative_to(REPO / "tests").parts
    if len(parts) < 2 or parts[0] not in TIERS:
        raise pytest.UsageError(f"{path}: tests stand in tests/{{{','.join(TIERS)}}}/")
    return parts[0]


#: The files that take longest (over ten seconds), longest first. Several workers take the files in
#: this order, so that none begins with a long one when the others have nothing left to do.
LONGEST = (
    "test_corrupted_contract",
    "test_close_the_books",
    "test_scorecard",
    "test_ui_browser",
    "test_companies_laws",
    "test_dbt_claims",
    "test_plan_tamper",
    "test_corrupted_inputs",
    "test_benchmarks",
    "test_release_kill",
    "test_dbt_plan",
    "test_dbt_drift",
    "test_readers",
    "test_plan_cookbook",
    "test_demo",
    "test_plan_workbook",
    "test_plan_companies",
    "test_dbt_leads",
    "test_sample_scale",
    "test_plan_laws",
    "test_real_companies",
    "test_sample",
)


def _place_of(item: pytest.Item, are_many: bool) -> int:
    """Quick tiers first; where several workers share the files, the longest first."""
    if not are_many:
        return TIERS.index(tier_of(item.path))
    name = item.path.stem
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the tests in order; those that read real data carry the marker."""
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker("real_data")
        if "browser_path" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    are_many = hasattr(config, "workerinput")
    items.sort(key=lambda item: _place_of(item, are_many))


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Measures a test's processor time."""
    before = _processor_seconds()
    try:
        return (yield)
    finally:
        item.stash[_SPENT] = _processor_seconds() - before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A unit test that takes seconds fails: it belongs to another tier."""
    report: Any = yield
    spent = item.stash.get(_SPENT, 0.0)
    slow = call.when == "call" and tier_of(item.path) == "unit" and spent > UNIT_SECONDS
    if slow and report.passed:
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} took {spent:.1f} processor seconds; a unit test has {UNIT_SECONDS:.0f}."
            " Make it smaller or move it to tests/integration."
        )
    return report  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def _unit_imports(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that reaches for Dagster or dbt fails, even if they are loaded already."""
    if tier_of(request.path) != "unit":
        return
    original: Callable[..., ModuleType] = builtins.__import__

    def guarded(name: str, *args: Any, **kwargs: Any) -> ModuleType:
        if name.partition(".")[0] in BARRED_FROM_UNIT:
            raise AssertionError(f"a unit test imports {name}: it belongs to tests/integration")
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", guarded)


# --- No network ----------------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Nothing under test reaches beyond this machine."""
    original = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if host is not None and host not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test connects to {address!r}; only loopback is allowed")
        original(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


# --- Shared fixtures -----------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="session")
def _read_the_project_once() -> Iterator[None]:
    """Every home of a test gets what dbt made of the project for the first of them."""
    from orchestration.lib.transform import Project
    from tests.support import parsed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Project, "prepare", parsed.prepare)
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real inputs, which no licence lets us ship; skips where it is not."""
    named = os.environ.get("TIEOUT_REAL_DATA")
    folder = Path(named) if named else REPO.parent / "shared" / "data"
    if not folder.is_dir():
        if named:
            pytest.fail(f"TIEOUT_REAL_DATA names {folder}, which is not a folder")
        pytest.skip("no real inputs here: set TIEOUT_REAL_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def oldest_reader() -> Path:
    """Folder that, as PYTHONPATH, gives a subprocess the oldest DuckDB our files promise to."""
    folder = Path(sys.prefix) / "readers" / "oldest"
    if not (folder / "duckdb").is_dir():
        message = f"no {folder}: 'make setup' installs requirements-reader.lock there"
        if IN_CI:
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def browser_path() -> Path:
    """A Chromium that runs headless; missing, it skips on a desk and fails in CI."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return Path(found)
    message = "no Chromium on PATH: install it (Debian: apt-get install chromium)"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)
