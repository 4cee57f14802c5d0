"""A real company's targets as a plan: Mattermost's fiscal year 2022, month by month.

The totals are those of the data's own README. None of the data is in the repository; without it
these tests are skipped (fixture `real_data`).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli.plan import app
from orchestration.lib.plan.check import check_plan
from orchestration.lib.plan.folder import read_plan
from orchestration.lib.plan.model import Plan
from orchestration.lib.plan.workbook import read_workbook
from tests.support.joint_plan import plan_laws

OPTIONS = (
    *("--company", "Mattermost", "--currency", "USD"),
    *("--fiscal-year", "2022", "--starts", "2021-02-01"),
)
RENAMES = {
    "month": "period",
    "new_logos": "wins",
    "new_pipeline": "pipeline",
    "new_arr": "bookings",
}


@pytest.fixture(scope="module")
def draft(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The targets as `tieout plan import` leaves them."""
    file = real_data / "plan" / "mattermost_targets_fy2022.csv"
    folder = tmp_path_factory.mktemp("mattermost") / "draft"
    renames = [part for old, new in RENAMES.items() for part in ("--rename", f"{old}={new}")]
    result = CliRunner().invoke(
        app, ["import", str(file), "--into", str(folder), *OPTIONS, *renames]
    )
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def plan(draft: Path) -> Plan:
    return read_plan(draft)


def test_the_totals_are_those_of_the_data(plan: Plan) -> None:
    totals = {
        metric: sum(row[metric] for row in plan.rows("targets"))  # type: ignore[misc]
        for metric in ("leads", "mqls", "sqls", "opportunities", "pipeline", "bookings")
    }
    assert totals == {
        "leads": 46_007,
        "mqls": 12_320,
        "sqls": 970,
        "opportunities": 281,
        "pipeline": 4_092_993,
        "bookings": 1_188_622,
    }


def test_every_month_of_the_fiscal_year_has_a_row(plan: Plan) -> None:
    months = [period for period in plan.periods.values() if period.kind == "month"]
    assert [row["period"] for row in plan.rows("targets")] == [month.period for month in months]
    assert (months[0].start, months[-1].end) == (date(2021, 2, 1), date(2022, 2, 1))


def test_the_draft_holds_only_what_the_file_says(plan: Plan) -> None:
    assert {name for name, rows in plan.sheets.items() if rows} == {"plan", "scopes", "targets"}
    assert all(
        row[metric] is None
        for row in plan.rows("targets")
        for metric in ("budget", "cost_per_lead", "rate_lead_mql", "acv", "cycle_days")
    )


def test_it_goes_through_a_workbook_unchanged(draft: Path, plan: Plan, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(draft), str(tmp_path / "plan.xlsx")])
    assert result.exit_code == 0, result.output
    assert read_workbook(tmp_path / "plan.xlsx") == plan


def test_what_its_arithmetic_does_not_close_on_is_named(plan: Plan) -> None:
    """Twelve months of volumes without one rate between them, and without owners or promises."""
    report = check_plan(plan, plan_laws())
    laws = {result.law: result for result in report.results}
    assert {law: result.status for law, result in laws.items()} == {
        "P1": "broken",
        "P2": "broken",
        "P3": "held",
        "P4": "broken",
        "P6": "not applicable",
        "P7": "not applicable",
    }
    gaps = [offence.values for offence in laws["P1"].offences]
    assert {gap["problem"] for gap in gaps} == {"no rate is stated"}
    assert len(gaps) == 12 * 7
    assert [(gap["metric"], gap["arithmetic"]) for gap in gaps[:7]] == [
        ("mqls", "missing: rate_lead_mql; implied: 0.246"),
        ("sals", "missing: rate_mql_sal; implied: 0.7494"),
        ("sqls", "missing: rate_sal_sql; implied: 0.1061"),
        ("opportunities", "missing: rate_sql_opportunity; implied: 0.2727"),
        ("pipeline", "missing: acv; implied: 15232.3333"),
        ("wins", "missing: rate_opportunity_won; implied: 0.3333"),
        ("bookings", "missing: acv; implied: 13206.3333"),
    ]
    assert [offence.values["problem"] for offence in laws["P2"].offences] == [
        "marketing promises nothing",
        "sales promises nothing",
    ]
    assert [offence.values["metric"] for offence in laws["P4"].offences] == sorted(
        ("leads", "mqls", "sals", "sqls", "opportunities", "pipeline", "wins", "bookings")
    )


def test_one_deal_size_cannot_give_its_pipeline_and_its_bookings(plan: Plan) -> None:
    """Pipeline ÷ opportunities and bookings ÷ wins imply two, more than 1 % apart in ten months."""
    implied = [
        (row["pipeline"] / row["opportunities"], row["bookings"] / row["wins"])  # type: ignore[operator]
        for row in plan.rows("targets")
    ]
    assert sum(abs(opened - won) > opened / 100 for opened, won in implied) == 10
