"""Apache Superset on the published file: its dashboard works, sees what is current, opens no door.

A real Superset in an environment of its own (`make superset-setup`), served on loopback as
`make superset` does it, with a cache switched on that must not be used. Skipped where that
environment is not.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from orchestration.lib.lock import run_lock
from orchestration.lib.release.folders import remove_folder
from orchestration.lib.release.promote import rollback
from orchestration.settings import REPO, Home
from tests.support.guests import FORBIDDEN
from tests.support.hollow import publish_hollow

PYTHON = REPO / ".venv-superset" / "bin" / "python"
READY = PYTHON.parents[1] / "ready"
SECONDS = 600.0
SWAPS = 40
PASSWORD = "only-for-this-test"
KINDS = {
    "database": "database_name",
    "dataset": "table_name",
    "chart": "slice_name",
    "dashboard": "dashboard_title",
}
MARKS = """
    select
        (select number from meta.publication) as a,
        (select max(leads) from main.rpt_stage_balance__campaign_cohort) as b,
        (select max(no_lead_after_days) from audit.run) as c
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not READY.exists(), reason="no Superset here: make superset-setup"),
]


@dataclass
class Superset:
    """A served Superset and one user's session."""

    url: str
    home: Home
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, **words: Any) -> requests.Response:
        return self.session.request(method, f"{self.url}/api/v1{path}", timeout=120, **words)

    def log_in(self) -> Superset:
        answer = self.call(
            "post",
            "/security/login",
            json={"username": "admin", "password": PASSWORD, "provider": "db", "refresh": False},
        )
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        token = self.call("get", "/security/csrf_token/").json()["result"]
        self.session.headers.update({"X-CSRFToken": token, "Referer": self.url})
        return self

    def named(self, kind: str, label: str) -> dict[str, int]:
        found = self.call("get", f"/{kind}/?q=(page_size:100)").json()["result"]
        return {each[label]: each["id"] for each in found}

    def chart(self, number: int) -> list[dict[str, Any]]:
        answer = self.call("get", f"/chart/{number}/data/")
        assert answer.status_code == 200, answer.text
        (result,) = answer.json()["result"]
        assert not result["is_cached"]
        return result["data"]  # type: ignore[no-any-return]

    def sql(self, statement: str, limit: int = 10) -> requests.Response:
        return self.call(
            "post",
            "/sqllab/execute/",
            json={
                "database_id": self.named("database", "database_name")["Tieout"],
                "sql": statement,
                "schema": "main",
                "runAsync": False,
                "queryLimit": limit,
            },
        )


@pytest.fixture(scope="module")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    folder = tmp_path_factory.mktemp("superset")
    home = Home(folder / "a home")
    for _ in range(2):
        publish_hollow(home)
    config = folder / "superset_config.py"
    config.write_text(
        (REPO / "bi/superset/superset_config.py").read_text()
        + f"DATA_CACHE_CONFIG = {{'CACHE_TYPE': 'FileSystemCache', 'CACHE_DIR': {str(folder)!r},"
        " 'CACHE_DEFAULT_TIMEOUT': 86400}\n"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "TIEOUT_HOME": str(home.root),
        "TIEOUT_SUPERSET_PASSWORD": PASSWORD,
        "SUPERSET_CONFIG_PATH": str(config),
    }
    log = folder / "log"
    with log.open("w") as stream:
        server = subprocess.Popen(
            [PYTHON, REPO / "bi/superset/prepare.py", "serve", str(port)],
            env=environment, stdout=stream, stderr=subprocess.STDOUT,
        )  # fmt: skip
    served = Superset(f"http://127.0.0.1:{port}", home)
    try:
        until = time.monotonic() + SECONDS
        while True:
            try:
                assert requests.get(f"{served.url}/health", timeout=120).text == "OK"
                break
            except requests.RequestException:
                assert server.poll() is None and time.monotonic() < until, log.read_text()[-3000:]
                time.sleep(0.2)
        yield served.log_in()
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)
        for release in home.releases.glob("*"):
            remove_folder(release)


def test_every_chart_of_the_dashboard_shows_what_is_published(superset: Superset) -> None:
    charts = superset.named("chart", "slice_name")
    dashboard = superset.call("get", "/dashboard/tieout/charts").json()["result"]
    assert sorted(charts) == sorted(each["slice_name"] for each in dashboard)
    shown = {name: superset.chart(number) for name, number in charts.items()}
    assert all(len(rows) >= 1 for rows in shown.values()), shown
    assert shown["What is published"][0]["number"] == 2
    assert shown["Where every dollar stands"] == [{"stage": "stage", "money": 0.02, "leads": 2}]


def test_the_same_import_again_changes_nothing(superset: Superset) -> None:
    before = {kind: superset.named(kind, label) for kind, label in KINDS.items()}
    subprocess.run(
        [PYTHON, REPO / "bi/superset/prepare.py"],
        env=os.environ | {"TIEOUT_HOME": str(superset.home.root)}, check=True, capture_output=True,
    )  # fmt: skip
    assert {kind: superset.named(kind, label) for kind, label in KINDS.items()} == before


def test_no_error_and_no_torn_or_stale_answer_while_current_is_swapped(superset: Superset) -> None:
    """Every answer is one publication whole, and one that was current while it was asked for."""
    chart = superset.named("chart", "slice_name")["What is published"]
    #: (before the swap, after it, number)
    swaps: list[tuple[float, float, int]] = [(0.0, 0.0, 2)]
    answers: list[tuple[float, float, list[Any]]] = []
    errors: list[BaseException] = []
    stop = threading.Event()

    def ask(through_sql: bool) -> None:
        mine = Superset(superset.url, superset.home).log_in()
        try:
            while not stop.is_set():
                asked = time.monotonic()
                if through_sql:
                    answer = mine.sql(MARKS)
                    assert answer.status_code == 200, answer.text
                    found = list(answer.json()["data"][0].values())
                else:
                    found = [mine.chart(chart)[0]["number"]]
                answers.append((asked, time.monotonic(), found))
        except BaseException as error:  # noqa: BLE001 - handed to the test, which fails on it
            errors.append(error)

    askers = [threading.Thread(target=ask, args=(through,)) for through in (True, False, True)]
    for asker in askers:
        asker.start()
    try:
        for n in range(10 * SWAPS):
            if n >= SWAPS and len(answers) >= SWAPS:
                break
            number = 1 + n % 2
            began = time.monotonic()
            with run_lock(superset.home, "a test"):
                rollback(superset.home, number, "a test")
            swaps.append((began, time.monotonic(), number))
            stop.wait(0.25)
    finally:
        stop.set()
        for asker in askers:
            asker.join(timeout=120)
    assert errors == []
    for asked, answered, found in answers:
        ends = [after for _, after, _ in swaps[1:]] + [float("inf")]
        current = {
            number
            for (began, _, number), end in zip(swaps, ends, strict=True)
            if began <= answered and end >= asked
        }
        assert len(set(found)) == 1 and found[0] in current, (found, current)
    assert {found[0] for _, _, found in answers} == {1, 2}
    assert len(answers) >= SWAPS


def test_sql_lab_reads_tables_and_nothing_else(superset: Superset) -> None:
    """As shipped, and by DuckDB alone where somebody lets Superset pass on any statement."""
    assert superset.sql("select count(*) as n from dim_campaign").json()["data"] == [{"n": 1}]
    database = superset.named("database", "database_name")["Tieout"]
    for is_open in (False, True):
        changed = superset.call(
            "put", f"/database/{database}", json={"allow_dml": is_open, "allow_ctas": is_open}
        )
        assert changed.status_code == 200, changed.text
        for statement in FORBIDDEN:
            answer = superset.sql(statement)
            assert answer.status_code >= 400, (statement, answer.text)
            assert "root:" not in answer.text and "data" not in answer.json()
    told = json.dumps(superset.sql(FORBIDDEN[0]).json())
    assert "disabled by configuration" in told
    assert not list(Path("/tmp").glob("tieout-stolen*"))
