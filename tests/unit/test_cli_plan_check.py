"""`tieout plan check`: the arithmetic step by step, the laws, the cell, the exit code."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from orchestration.cli.plan import app
from orchestration.cli.plan.check import show
from orchestration.lib.plan.check import check_plan
from orchestration.lib.plan.folder import write_plan
from orchestration.lib.plan.model import Plan
from orchestration.lib.plan.registers import append
from orchestration.lib.plan.workbook import write_workbook
from tests.support.contracts import SIGNERS, locked, signers
from tests.support.joint_plan import joint_plan, mirage, plan_laws, targets


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def shown(plan: Plan, width: int) -> str:
    to = Console(file=io.StringIO(), width=width, highlight=False)
    show(check_plan(plan, plan_laws()), to)
    return to.file.getvalue()  # type: ignore[attr-defined,no-any-return]


MIRAGE = """\
  Marketing promises 500 MQLs, sales promises 5,000,000 USD of pipeline.
    500 MQLs × 40 % = 200 accepted leads
             × 50 % = 100 SQLs
             × 40 % = 40 opportunities
             × 50,000 = 2,000,000 USD of pipeline
  Two plans: the promise is 3,000,000 USD above what the MQLs come to (60 % of
  the promise).
  Any one of these would close it, all else as it is:
    MQLs                1,250 instead of 500
    MQL to accepted     100 % instead of 40 %
    accepted to SQL     125 % instead of 50 %: impossible
    SQL to opportunity  100 % instead of 40 %
    deal size           125,000 instead of 50,000
"""


def test_the_mirage_is_told_step_by_step() -> None:
    text = "\n".join(line.rstrip() for line in shown(mirage(), 80).splitlines())
    assert MIRAGE in text
    assert "MQLs             2,000 leads × 25 %                      500         500   ✓" in text
    assert "Promises!E3   sales promises more" in text
    assert text.endswith("The plan is not sound: P1 P3 P4 P6 held; P2 broken; P7 not applicable.")


@pytest.mark.parametrize("width", [80, 110])
@pytest.mark.parametrize(
    "plan", [joint_plan(), mirage(), joint_plan({}, {"targets": targets(rate_sal_sql="")})]
)
def test_it_fits_the_terminal(plan: Plan, width: int) -> None:
    assert max(len(line) for line in shown(plan, width).splitlines()) <= width


def test_a_missing_rate_says_what_the_volumes_imply() -> None:
    text = shown(joint_plan({}, {"targets": targets(rate_sal_sql="")}), 110)
    assert "no rate_sal_sql; the volumes imply 50 %" in text
    assert "× ? (no rate_sal_sql in this row of targets)" in text


def test_a_sound_draft_exits_0(tmp_path: Path) -> None:
    write_plan(joint_plan(), tmp_path / "draft")
    for path in (tmp_path / "draft", tmp_path):
        result = check(path)
        assert result.exit_code == 0, result.output
        assert "The plan is sound: P1 P2 P3 P4 P6 P7 held." in result.output


def test_a_workbook_is_checked_as_it_is(tmp_path: Path) -> None:
    write_workbook(mirage(), tmp_path / "plan.xlsx")
    result = check(tmp_path / "plan.xlsx")
    assert result.exit_code == 3
    assert "Two plans" in result.output


def test_a_waived_draft_exits_0(tmp_path: Path) -> None:
    write_plan(mirage(), tmp_path / "draft")
    append(
        tmp_path,
        "waivers",
        {"law": "P2", "scope": "all", "reason": "Both agree", "expires_on": "2026-06-30"},
        signers("mia", "sam"),
        at=datetime(2026, 1, 2),
        draft=mirage(),
    )
    result = check(tmp_path / "draft", "--at", "2026-02-01")
    assert result.exit_code == 0, result.output
    assert "waiver 1 until 2026-06-30: Both agree" in result.output
    assert check(tmp_path / "draft", "--at", "2026-06-30").exit_code == 3


def test_locked_versions_are_judged_with_their_signatures(tmp_path: Path) -> None:
    locked(tmp_path, joint_plan(), datetime(2025, 12, 20), SIGNERS.values())
    sound = check(tmp_path, "--at", "2026-02-01")
    assert sound.exit_code == 0, sound.output
    assert "P5  held" in sound.output
    path = tmp_path / "v1" / "targets.csv"
    path.write_bytes(path.read_bytes().replace(b"5000000", b"5000001"))
    changed = check(tmp_path, "--at", "2026-02-01", "--json")
    assert changed.exit_code == 3
    report = json.loads(changed.output)
    (law,) = [each for each in report["laws"] if each["law"] == "P5"]
    assert law["status"] == "broken"
    assert any(row["file"] == "v1/targets.csv" and row["line"] == 2 for row in law["rows"])


def test_json_has_every_figure(tmp_path: Path) -> None:
    write_plan(mirage(), tmp_path / "draft")
    result = check(tmp_path / "draft", "--json")
    assert result.exit_code == 3
    report = json.loads(result.output)
    assert (report["is_draft"], report["is_sound"]) == (True, False)
    (funnel,) = report["funnels"]
    assert funnel["steps"][0] == {
        "metric": "leads", "origin": "budget", "factor": "cost_per_lead", "operation": "÷",
        "start": "200000", "rate": "100", "expected": "2000", "stated": "2000", "lacking": [],
        "implied": None, "problem": None,
    }  # fmt: skip
    (promise,) = funnel["promises"]
    assert (promise["multiplied_out"], promise["gap"]) == ("2000000", "3000000")
    assert promise["would_close_it"][0] == {
        "metric": "mqls",
        "now": "500",
        "needed": "1250",
        "is_possible": True,
    }
    assert report["laws"][1]["rows"][0]["cell"] == "Promises!E3"


@pytest.mark.parametrize("is_root", [True, False])
def test_what_is_no_plan_is_an_error(is_root: bool, tmp_path: Path) -> None:
    if not is_root:
        write_plan(joint_plan(), tmp_path / "draft")
        (tmp_path / "draft" / "targets.csv").write_text("period,scope\nFY2026-Q9,company\n")
    result = check(tmp_path if is_root else tmp_path / "draft")
    assert result.exit_code == 1
    expected = "found no plan.csv, no v1 and no draft" if is_root else "targets.csv:2"
    assert expected in result.output


def test_the_plan_of_a_company(tmp_path: Path) -> None:
    locked(tmp_path / "plan", joint_plan(), datetime(2025, 12, 20), SIGNERS.values())
    (tmp_path / "sources.yml").write_text(
        "version: 1\ncompany:\n  name: Larkfield Software\n  reporting_currency: EUR\n"
        "  time_zone: Europe/Berlin\n  plan: plan\n"
        "sources:\n  crm:\n    adapter: canonical\n    path: .\n"
    )
    result = check("--sources", tmp_path / "sources.yml", "--at", "2026-02-01")
    # In euros, which the plan has no rate for.
    assert result.exit_code == 3
    assert "v1/rates.csv" in result.output


def test_a_draft_is_told_before_it_is_locked_that_a_rate_is_missing() -> None:
    report = check_plan(joint_plan(), plan_laws(), reporting_currency="EUR")
    (law,) = [each for each in report.results if each.status == "broken"]
    assert [(each.values["file"], each.values["expected"]) for each in law.offences] == [
        ("draft/rates.csv", "a row for EUR")
    ]
