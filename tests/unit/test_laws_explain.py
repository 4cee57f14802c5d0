"""`tieout explain` tells a law, its figures as money, its rows, and whose move it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from expectations.laws import load_laws
from orchestration.cli.explain import explain
from orchestration.lib.explain import CURRENCIES, Money
from orchestration.settings import Home

RESULT: dict[str, Any] = {
    "law": "B2",
    "title": "Every dollar stands in exactly one stage",
    "severity": "block",
    "status": "broken",
    "reason": None,
    "expected": 1400000,
    "actual": 1399999,
    "difference": -1,
    "unit": "minor",
    "currency": "USD",
    "checked": 6,
    "offending_count": 1,
    "offending_rows": [
        {
            "feed": None,
            "problem": "the published balances do not add up to the spend",
            "campaign_key": "Google Ads / A [brand]",
            "cohort_start_date": "2026-02-01",
            "expected_minor": 1000000,
            "actual_minor": 999999,
            "difference_minor": -1,
        }
    ],
    "tolerated": 0,
    "waived": 0,
    "checks": {},
    "owner": "Analytics engineering",
    "seconds": 0.1,
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("TIEOUT_HOME", str(tmp_path))
    return Home(tmp_path)


def judged(home: Home, **changes: Any) -> None:
    home.reports.mkdir(parents=True)
    document = {
        "number": None,
        "created_at": "2026-04-01T00:00:00+00:00",
        "as_of": "2026-03-31T23:00:00",
        "currency": "USD",
        "passed": False,
        "notes": ["crm: tolerances: laws: B2: this law forgives nothing; ignored"],
        "error": None,
        "seconds": 0.5,
        "results": [RESULT | changes],
    }
    home.verdict.write_text(json.dumps(document), encoding="utf-8")


def run(*arguments: str) -> tuple[int, str, str]:
    app = typer.Typer()
    app.command()(explain)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_a_broken_law(home: Home) -> None:
    judged(home)
    code, out, _ = run("b2")
    assert code == 0
    for said in (
        "B2: Every dollar stands in exactly one stage",
        "status      broken",
        "judged      as of 2026-03-31T23:00:00, not published",
        "expected    14,000.00 USD",
        "actual      13,999.99 USD",
        "difference  -0.01 USD",
        "the published balances do not add up to the spend",
        "Google Ads / A [brand]",
        "9,999.99",
        "expected USD",
        "note        crm: tolerances",
        "Whose move  Analytics engineering",
        "What to do  This is a fault in the models",
    ):
        assert said in out, f"{said!r} is not in\n{out}"


def test_a_law_that_holds_asks_nobody_to_move(home: Home) -> None:
    judged(home, status="held", offending_count=0, offending_rows=[], difference=0)
    _, out, _ = run("B2")
    assert "status      held" in out
    assert "Whose move" not in out


def test_tolerated_rows_are_still_listed(home: Home) -> None:
    rows = [{"feed": "crm", "problem": "no mapping", "value": "Nurture", "rows": 3000}]
    judged(home, status="held", unit="rows", currency=None, tolerated=3000, offending_rows=rows)
    _, out, _ = run("B2")
    assert "tolerated   3,000 rows" in out
    assert "Nurture" in out
    assert "Whose move" in out


def test_a_law_that_does_not_apply_says_why(home: Home) -> None:
    judged(home, status="not applicable", reason="no spend source", offending_count=0,
           offending_rows=[], expected=0, actual=0, difference=0, checked=0)  # fmt: skip
    assert "not applicable: no spend source" in run("B2")[1]


def test_totals_of_several_currencies_are_said_to_be_hash_totals(home: Home) -> None:
    judged(home, currency=None)
    _, out, _ = run("B2")
    assert "1,400,000 minor units" in out
    assert "hash total over several currencies" in out


def test_many_rows_are_cut_and_counted(home: Home) -> None:
    row = RESULT["offending_rows"][0]
    judged(home, offending_rows=[row] * 200, offending_count=450)
    _, out, _ = run("B2", "--rows", "2")
    assert out.count("9,999.99") == 2
    assert "448 rows more" in out
    assert "200 of 450" in out


def test_json_has_everything(home: Home) -> None:
    judged(home)
    code, out, _ = run("B2", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["result"] == RESULT
    assert answer["meaning"] == load_laws()["B2"].meaning


def test_before_the_first_run(home: Home) -> None:
    code, out, _ = run("B3")
    assert code == 0
    assert "Not judged yet" in out


def test_an_unknown_law_exits_2_with_the_list(home: Home) -> None:
    code, _, err = run("Z9")
    assert code == 2
    assert "there is no law 'Z9'" in err
    for law in load_laws().values():
        assert f"{law.id:<4} {law.title}" in err


@pytest.mark.parametrize("text", ["{", "[]", '{"results": 1}'])
def test_a_damaged_verdict_is_an_error_that_names_the_file(text: str, home: Home) -> None:
    home.reports.mkdir()
    home.verdict.write_text(text, encoding="utf-8")
    code, _, err = run("B2")
    assert code == 1
    assert str(home.verdict) in err


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1234567, "USD", "12,345.67 USD"),
        (-5, "USD", "-0.05 USD"),
        (0, "EUR", "0.00 EUR"),
        (1234567, "JPY", "1,234,567 JPY"),
        (-1234567, "KWD", "-1,234.567 KWD"),
        (12, None, "12 minor units"),
        (12, "XX?", "12 minor units"),
    ],
)
def test_money(minor: int, currency: str | None, text: str) -> None:
    assert Money.of_the_world(CURRENCIES).text(minor, currency) == text
