"""`tieout demo mirage`: refused before any spend, soon disproved, explained line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.settings import Home
from tests.pipeline.conftest import invoke


@pytest.fixture(scope="module")
def mirage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The answer of the demo, as a program reads it."""
    home = Home(tmp_path_factory.mktemp("demo"))
    code, out, err = invoke(home, "demo", "mirage", "--json")
    assert code == 0, err
    yield json.loads(out)


def test_the_plan_is_refused_before_any_spend(mirage: dict[str, Any]) -> None:
    """500 MQLs multiply out to two million; five are promised."""
    laws = {law["law"]: law for law in mirage["plan"]["laws"]}
    assert laws["P2"]["status"] == "broken"
    assert {law for law, result in laws.items() if result["status"] != "held"} == {"P2"}
    (promise,) = mirage["plan"]["funnels"][0]["promises"]
    assert [float(step["expected"]) for step in promise["steps"]] == [200, 100, 50, 2_000_000]
    assert float(promise["gap"]) == 3_000_000


def test_the_data_disproves_it_long_before_the_quarter_ends(mirage: dict[str, Any]) -> None:
    alarm = mirage["alarm"]
    assert alarm["metric"] == "rate_mql_sal"
    assert alarm["planned_rate"] == 0.4
    assert alarm["actual_rate"] == pytest.approx(0.08, abs=0.001)
    assert date(2026, 4, 1) < date.fromisoformat(alarm["disproved_on"]) < date(2026, 5, 1)
    assert alarm["spent_minor"] < alarm["budget_minor"] / 4


def test_audit_of_the_handoff_counts_every_lead_of_it(mirage: dict[str, Any]) -> None:
    """The pack is made from the published tables, so it says what they say."""
    home = Home(Path(mirage["folder"]) / "home")
    code, out, err = invoke(home, "audit", "handoff", "--scope", "company", "--json")
    assert code == 0, err
    (answer,) = [each for each in json.loads(out) if each["kind"] == "drift"]
    pack = Path(answer["pack"])
    manifest = json.loads((pack / "manifest.json").read_text())
    with duckdb.connect(str(home.current_database), read_only=True) as connection:
        entered, converted, late = connection.execute(
            """
            select entered, converted, (
                select count(*) from rpt_handoff__lead as lead
                where
                    lead.sla_status = 'late'
                    and lead.handed_over_date between drift.period_start_date
                    and drift.period_end_date - 1
            )
            from rpt_drift__cohort_transition as drift
            where scope = 'company' and metric = 'rate_mql_sal'
            """
        ).fetchone() or (0, 0, 0)
        item = connection.execute(
            "select item_id from rpt_variance_item where metric = 'rate_mql_sal'"
            " and scope = 'company'"
        ).fetchone()
    assert (manifest["leads"], manifest["accepted"]) == (entered, converted) == (500, 40)
    assert manifest["sla_breaches"] == late
    assert item == (answer["item_id"],)
    assert answer["not_yet_burnt_minor"] > 150_000_00
    assert (pack / "index.html").is_file()


def test_green_activity_over_red_value_is_seen(mirage: dict[str, Any]) -> None:
    kpis = {line["metric"]: line for line in mirage["kpis"]}
    assert (kpis["mqls"]["activity_status"], kpis["mqls"]["value_status"]) == ("on plan", "behind")


def test_the_bridge_leads_from_500_to_40_line_by_line(mirage: dict[str, Any]) -> None:
    lines = mirage["bridge"]
    totals = [line["value"] for line in lines if line["is_total"]]
    assert (totals[0], totals[-1]) == (500, 40)
    running = lines[0]["value"]
    for line in lines[1:]:
        if line["is_total"]:
            assert line["value"] == running, line
        else:
            running += line["value"]
    rejected = [line for line in lines if line["text"].startswith("rejected: ")]
    assert len(rejected) == 6, "each reason has its line"
