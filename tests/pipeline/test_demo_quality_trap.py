"""`tieout demo quality-trap`: green leads, and the first hour at which the books say otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import pytest

from orchestration.settings import Home
from tests.pipeline.conftest import invoke


@pytest.fixture(scope="module")
def trap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The answer of the demo, as a program reads it."""
    home = Home(tmp_path_factory.mktemp("demo"))
    code, out, err = invoke(home, "demo", "quality-trap", "--json")
    assert code == 0, err
    yield json.loads(out)


def test_every_department_looks_good_by_its_own_number(trap: dict[str, Any]) -> None:
    assert {law["status"] for law in trap["plan"]["laws"]} == {"held"}
    kpis = {line["metric"]: line for line in trap["kpis"]}
    assert kpis["leads"]["actual"] > 1.15 * kpis["leads"]["plan"]
    assert kpis["mqls"]["actual"] > kpis["mqls"]["plan"]
    assert kpis["wins"]["actual"] < 0.75 * kpis["wins"]["plan"]


def test_the_alarm_names_the_transition_and_the_dollars_not_yet_spent(trap: dict[str, Any]) -> None:
    alarm = trap["alarm"]
    assert alarm["metric"] == "rate_sal_sql"
    assert alarm["actual_rate"] < 0.85 * alarm["planned_rate"]
    assert alarm["spent_minor"] < 0.6 * alarm["budget_minor"]
    first_hour = datetime.fromisoformat(alarm["first_hour"])
    assert (first_hour.minute, first_hour.second) == (0, 0)
    assert abs((first_hour.date() - date.fromisoformat(alarm["disproved_on"])).days) <= 1


def test_the_days_add_up_to_what_the_alarm_says(trap: dict[str, Any]) -> None:
    alarm = trap["alarm"]
    days = {day["day"]: day for day in trap["days"]}
    assert len(days) == 91
    on_the_day = days[alarm["disproved_on"]]
    assert on_the_day["spent_minor"] == alarm["spent_minor"]
    # The alarm speaks of its own hour, the day of its end.
    assert alarm["settled_leads"] <= on_the_day["decided"]
    counted = ("leads", "entered", "decided", "converted")
    listed = list(trap["days"])
    for before, after in pairwise(listed):
        assert all(before[name] <= after[name] for name in counted)
    assert listed[-1]["leads"] == {line["metric"]: line for line in trap["kpis"]}["leads"]["actual"]


def test_the_report_at_the_end_finds_it_weeks_later(trap: dict[str, Any]) -> None:
    cost = trap["cost_per_win"]
    assert cost["actual_minor"] > 1.5 * cost["planned_minor"]
    end = date.fromisoformat(trap["alarm"]["period_end"])
    assert (end - date.fromisoformat(trap["alarm"]["disproved_on"])).days >= 42
