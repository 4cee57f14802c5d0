"""The live pages: every figure is the published file's, nobody else is asked, nothing is torn.

One server over copies of two publications that differ in every name, so that a page which mixes
them can be told. Its first campaign is called what an attacker would call it.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from importlib.resources import files
from itertools import product
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest

from orchestration.cli.ui import serve_pages
from orchestration.lib.release.folders import (
    DATABASE,
    RECEIPT,
    SCORECARD,
    point_current_at,
    release_folder,
)
from orchestration.settings import Home
from tests.pipeline.conftest import Story
from tests.pipeline.test_scorecard import plain, read
from tests.pipeline.test_ui_browser import free_port
from tests.support.browser import Page, browser_page

HOSTILE = "<script>alert(1)</script>/../?a=1&b=\"'#%2f"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


@dataclass(frozen=True)
class Site:
    """The pages of a home on a port of this machine."""

    home: Home
    port: int

    def get(self, path: str, method: str = "GET", host: str | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, headers={"Host": host} if host else {})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read().decode())
        finally:
            connection.close()


@dataclass(frozen=True)
class Ids:
    """Something of each kind that the file has."""

    campaign: str
    cohort: str
    lead: str
    owner: str

    @property
    def paths(self) -> dict[str, str]:
        key = quote(self.campaign, safe="")
        return {
            "start": "/",
            "search": f"/search?q={self.campaign[:3]}",
            "campaign": f"/campaign/{key}",
            "cohort": f"/cohort/{key}/{self.cohort}",
            "lead": f"/lead/{quote(self.lead, safe='')}",
            "velocity": "/velocity/company",
            "handoff": f"/handoff/sales/{quote(self.owner, safe='')}",
            "publication": "/publication/2",
            "law": "/law/B1",
        }


@pytest.fixture(scope="module")
def site(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = Home(tmp_path_factory.mktemp("live"))
    for number in (1, 2):
        folder = release_folder(home, number)
        folder.mkdir(parents=True)
        for name in (DATABASE, RECEIPT, SCORECARD):
            shutil.copyfile(release_folder(story.home, number) / name, folder / name)
        with duckdb.connect(str(folder / DATABASE)) as connection:
            connection.execute("update meta.publication set company = ?", [f"Company {number}"])
            connection.execute("update dim_campaign set channel = ?", [f"channel {number}"])
            connection.execute("update meta.law_result set owner = ?", [f"owner {number}"])
            if number == 1:
                _spoil(connection)
            else:
                _change(connection)
    shutil.copyfile(story.home.published / "history.jsonl", home.published / "history.jsonl")
    point_current_at(home, 2)
    home.reports.mkdir()
    row = {"feed": None, "campaign_key": "of a blocked run", "amount_minor": 1234}
    result = {"law": "B1", "status": "broken", "offending_rows": [row]}
    home.verdict.write_text(json.dumps({"results": [result]}))
    port = free_port()
    with serve_pages(home, port):
        yield Site(home, port)


def _change(connection: duckdb.DuckDBPyConnection) -> None:
    """More changes than a page of them holds."""
    connection.execute(
        """
        insert into meta.change
        select
            'rpt_stage_balance__campaign_cohort', 'amount_minor', campaign_key, cohort_start_date,
            'lead', false, 1000, 1000 + number, number, 'restatement'
        from (
            select campaign_key, cohort_start_date from fct_lead
            where cohort_start_date is not null order by lead_id limit 1
        ), range(1, 61) as numbers(number)
        """
    )


def _spoil(connection: duckdb.DuckDBPyConnection) -> None:
    ((key,),) = connection.execute(
        "select campaign_key from fct_spend__campaign_daily order by 1 limit 1"
    ).fetchall()
    for table in ("dim_campaign", "fct_lead", "rpt_stage_balance__campaign_cohort"):
        connection.execute(
            f"update {table} set campaign_key = ? where campaign_key = ?", [HOSTILE, key]
        )
    connection.execute("update meta.law_result set reason = ?", [HOSTILE])
    connection.execute(
        "update rpt_handoff__owner_month set owner = ? where side = 'marketing'", [HOSTILE]
    )
    connection.execute(
        "update rpt_velocity__segment_week set scope = ? where scope <> 'company'", [HOSTILE]
    )
    connection.execute(
        "insert into meta.law_row values ('B1', 1, ?)",
        ['{"campaign_key": "<script>alert(1)</script>", "amount_minor": 1234, "currency": "USD"}'],
    )


@pytest.fixture(scope="module")
def ids(site: Site) -> Ids:
    database = str(release_folder(site.home, 2) / DATABASE)
    with duckdb.connect(database, read_only=True) as connection:
        ((campaign, cohort, lead),) = connection.execute(
            """
            select campaign_key, cohort_start_date::varchar, lead_id from fct_lead
            semi join fct_spend__campaign_daily using (campaign_key, cohort_start_date)
            order by converted_opportunity_id is null, lead_id limit 1
            """
        ).fetchall()
        ((owner,),) = connection.execute(
            """
            select owner from rpt_handoff__owner_month where side = 'sales'
            group by owner order by sum(waiting) desc, owner limit 1
            """
        ).fetchall()
    return Ids(campaign, cohort, lead, owner)


def test_every_figure_is_a_cell_of_the_query_that_the_page_prints(site: Site, ids: Ids) -> None:
    database = str(release_folder(site.home, 2) / DATABASE)
    cells = 0
    with duckdb.connect(database, read_only=True) as connection:
        for path in ids.paths.values():
            answer = site.get(path)
            assert answer.status == 200, path
            found = read(answer.text)
            rows = {}
            for name, sql in found.sql.items():
                relation = connection.execute(sql)
                columns = [column[0] for column in relation.description or ()]
                rows[name] = [dict(zip(columns, row, strict=True)) for row in relation.fetchall()]
            for cell in found.cells:
                assert cell.value == plain(rows[cell.query][cell.row][cell.column]), cell
            assert found.links <= found.anchors | {"main"}, path
            cells += len(found.cells)
    assert cells > 300


def test_a_page_answers_the_questions_of_its_subject(site: Site, ids: Ids) -> None:
    says = {
        "campaign": ("Spend by month", "Where its dollars stand", "Credit by model", "Cohorts"),
        "cohort": ("Every dollar is at one stage", "Leads", f"/lead/{ids.lead}"),
        "lead": ("Its trail", "Its dollars", "Its deal"),
        "start": ("/velocity/company", "/handoff/both/%28all%29", "/handoff/sales/"),
        "velocity": ("Velocity week by week", "Its factors", "Variance items", "Days to be won"),
        "handoff": ("Month by month", "Who still waits", "What became of them"),
        "publication": ("Changes by cause", "Versions of the plan", "passed the gate"),
        "law": ("What to do", "Whose move", "Over the publications", "What the gate compares"),
    }
    for kind, words in says.items():
        text = site.get(ids.paths[kind]).text
        assert [word for word in words if word not in text] == [], kind


def test_dollars_of_a_campaign_by_stage_are_its_spend(site: Site, ids: Ids) -> None:
    cells = read(site.get(ids.paths["campaign"]).text).cells
    by_stage = [cell for cell in cells if cell.query == "campaign_stage"]
    by_month = [cell for cell in cells if cell.query == "spend_month"]
    stands = sum(int(cell.value) for cell in by_stage if cell.column == "amount_minor")
    spent = sum(int(cell.value) for cell in by_month if cell.column == "spend_minor")
    assert stands == spent > 0


def test_the_parts_of_a_velocity_are_its_change(site: Site) -> None:
    cells = read(site.get("/velocity/company").text).cells
    weeks: dict[int, dict[str, int]] = {}
    for cell in cells:
        if cell.query == "velocity_week" and cell.column.endswith("_minor"):
            weeks.setdefault(cell.row, {})[cell.column] = int(cell.value)
    changes = [week for week in weeks.values() if "change_minor" in week]
    assert changes
    for week in changes:
        parts = sum(value for column, value in week.items() if column.endswith("_part_minor"))
        assert week["change_minor"] == parts


def test_every_scope_and_owner_has_a_page_and_owners_add_up(site: Site) -> None:
    start = site.get("/").text
    links = {*re.findall(r'href="(/(?:velocity|handoff)/[^"]*)"', start)}
    assert len({link.split("/")[1] for link in links}) == 2
    handed_over, waiting = {}, 0
    for link in links:
        answer = site.get(unescape(link))
        assert answer.status == 200, link
        cells = read(answer.text).cells
        if not link.startswith("/handoff/"):
            continue
        months = [cell for cell in cells if cell.column == "handed_over"]
        side = link.split("/")[2]
        handed_over[side] = handed_over.get(side, 0) + sum(int(cell.value) for cell in months)
        owed = [
            int(cell.value)
            for cell in cells
            if (cell.query, cell.column) == ("handoff_month", "waiting")
        ]
        leads = [cell for cell in cells if (cell.query, cell.column) == ("handoff_lead", "lead_id")]
        assert sum(owed) == len(leads) or len(leads) == 50, link
        waiting += len(leads)
    assert handed_over["both"] == handed_over["marketing"] == handed_over["sales"] > 0
    assert waiting > 0


def test_nothing_from_the_data_or_the_address_becomes_markup(site: Site) -> None:
    key = quote(HOSTILE, safe="")
    for path, status in (
        ("/?publication=1", 200),
        (f"/campaign/{key}?publication=1", 200),
        (f"/velocity/{key}?publication=1", 200),
        (f"/handoff/marketing/{key}?publication=1", 200),
        (f"/search?publication=1&q={quote('<SCRIPT>')}", 200),
        ("/law/B1?publication=1", 200),
        (f"/law/{quote('<script>alert(1)<')}", 404),
        (f"/lead/{key}", 404),
        (f"/?publication={quote('<script>alert(1)</script>')}", 404),
        (f"/search?q={quote(chr(34) + '><script>alert(1)</script>')}", 200),
    ):
        answer = site.get(path)
        assert answer.status == status, path
        assert read(answer.text).scripts == 0, path
        assert "script&gt;" in answer.text.lower() or "&lt;script" in answer.text.lower(), path


def test_sql_in_an_address_is_a_value(site: Site) -> None:
    assert site.get(f"/lead/{quote(chr(39) + ' or true --')}").status == 404
    assert "None." in site.get(f"/search?q={quote(chr(39) + ' or true --')}").text


def test_the_scorecard_leads_to_the_pages(site: Site) -> None:
    text = site.get("/scorecard?publication=2").text
    links = {*re.findall(r'href="(/(?:campaign|cohort|handoff|law)/[^"]*)"', text)}
    assert {link.split("/")[1] for link in links} >= {"campaign", "handoff", "law"}
    sides = {link.split("/")[2] for link in links if link.startswith("/handoff/")}
    assert sides == {"both", "marketing", "sales"}
    for link in links:
        assert link.endswith("?publication=2")
        assert site.get(unescape(link)).status == 200, link
    assert "Blocked since" in site.get("/scorecard").text


@pytest.mark.parametrize(
    "path",
    [
        "/lead/nobody",
        "/campaign/none",
        "/cohort/none/2026-01-01",
        "/cohort/none/yesterday",
        "/law/Z9",
        "/velocity/nowhere",
        "/handoff/sales/nobody",
        "/handoff/neither/nobody",
        "/publication/99",
        "/?publication=99",
        "/?publication=-1",
        "/nothing",
    ],
)
def test_what_is_not_there_is_said_with_a_way_on(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status == 404
    assert "There is no" in answer.text
    assert "search" in answer.text.lower()
    assert 'href="/"' in answer.text


def test_only_this_machine_and_only_reading(site: Site) -> None:
    for host in ("evil.example", f"evil.example:{site.port}", "127.0.0.1.evil.example"):
        assert site.get("/", host=host).status == 400
    assert site.get("/", host=f"localhost:{site.port}").status == 200
    for method in ("POST", "PUT", "DELETE"):
        assert site.get("/", method).status == 405
    for path in ("/", "/nothing", "/scorecard", "/style.css"):
        headers = site.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "script" not in policy and "http" not in policy and "*" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


def test_a_long_table_is_paged(site: Site) -> None:
    near = read(site.get("/?campaigns=1").text)
    first = read(site.get("/").text)

    def names(found: object) -> list[str]:
        return [
            cell.value
            for cell in found.cells  # type: ignore[attr-defined]
            if cell.query == "campaigns" and cell.column == "campaign_key"
        ]

    assert names(near) == names(first)[1:]
    beyond = site.get("/?campaigns=999999999999999999999")
    assert beyond.status == 200
    assert "No rows this far" in site.get("/?campaigns=1000000").text


def test_runs_that_are_blocked_are_said_on_every_page(site: Site, ids: Ids) -> None:
    for path in (*ids.paths.values(), "/lead/nobody"):
        assert "Blocked since" in site.get(path).text, path


def test_the_rows_that_stopped_the_last_run_stand_on_the_page_of_their_law(site: Site) -> None:
    text = site.get("/law/B1").text
    blocked = text.partition('id="blocked"')[2].partition("</section>")[0]
    assert 'href="/campaign/of%20a%20blocked%20run"' in blocked
    assert ">$12.34<" in blocked
    assert "It did not stop the last run" in site.get("/law/B2").text


def test_what_a_publication_changed_is_paged_and_written_as_money(site: Site) -> None:
    first = site.get("/publication/2").text
    assert "Rows 1 to 50 of 60" in first
    # The largest first: 60 minor units.
    assert "+$0.60" in first and "+$0.05" not in first.partition("The queries")[0]
    (after,) = {*re.findall(r'href="([^"]*)" rel="next"', first)}
    last = site.get("/publication/2" + unescape(after).partition("#")[0]).text
    assert "Rows 51 to 60 of 60" in last
    assert "+$0.05" in last


def test_a_home_without_a_publication_says_what_to_do(tmp_path: Path) -> None:
    port = free_port()
    with serve_pages(Home(tmp_path), port):
        answer = Site(Home(tmp_path), port).get("/")
    assert answer.status == 503
    assert "tieout run" in answer.text


def test_a_publication_is_seen_at_the_next_request_and_no_page_mixes_two(site: Site) -> None:
    stop, wrong, seen = threading.Event(), [], set()

    def look() -> None:
        while not stop.is_set():
            answer = site.get("/")
            is_of = {
                *re.findall(r">Company (\d)<", answer.text),
                *re.findall(r">channel (\d)<", answer.text),
                *re.findall(r">owner (\d)<", answer.text),
                *re.findall(r">Publication (\d)<", answer.text),
            }
            seen.update(is_of)
            if answer.status != 200 or len(is_of) != 1:
                wrong.append((answer.status, is_of))

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            for number in (1, 2):
                point_current_at(site.home, number)
                time.sleep(0.02)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
        point_current_at(site.home, 2)
    assert wrong == []
    assert seen == {"1", "2"}
    for number in (1, 2):
        point_current_at(site.home, number)
        assert f">Company {number}<" in site.get("/").text


# --- In a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tab(browser_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser_page(browser_path, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.mark.parametrize(
    "kind",
    ["start", "campaign", "cohort", "lead", "velocity", "handoff", "publication", "law", "none"],
)
def test_people_can_read_it(site: Site, ids: Ids, tab: Page, kind: str) -> None:
    address = f"http://127.0.0.1:{site.port}"
    tab.complaints.clear()
    tab.open(address + {**ids.paths, "none": "/law/Z9"}[kind])
    tab.run(files("axe_core_python").joinpath("axe.min.js").read_text() + ";0")
    for width, scheme in product((390, 1280, 2560), ("light", "dark")):
        tab.look(width, scheme)
        found = tab.run(
            "axe.run({resultTypes: ['violations']}).then(r => r.violations.map(v => [v.impact,"
            " v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))]))"
        )
        assert [each for each in found if each[0] in ("serious", "critical")] == []
        assert tab.run("document.documentElement.scrollWidth") <= width, "nothing runs off"
    assert [each for each in tab.requests if not each.startswith(address)] == []
    # Of a page that is not there the browser says that it is not there.
    assert [each for each in tab.complaints if kind != "none" or "404" not in each] == []


# --- As a process --------------------------------------------------------------------------------


def test_pages_open_without_dagster_and_end_when_asked(site: Site) -> None:
    port = free_port()
    command = [Path(sys.executable).parent / "tieout", "ui", "--only", "pages"]
    server = subprocess.Popen(
        [*command, "--pages-port", str(port)],
        env={"TIEOUT_HOME": str(site.home.root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        assert server.stdout is not None
        assert f"http://127.0.0.1:{port}" in server.stdout.readline()
        assert "Company" in Site(site.home, port).get("/").text
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0
