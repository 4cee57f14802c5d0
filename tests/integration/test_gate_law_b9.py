"""Law B9 through Great Expectations: every published amount is its native one at the day's rate.

The books are `test_gate_holds_currency.sql`; what converts is tested in test_dbt_currency.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from expectations.client import Judge
from expectations.laws import LAWS_FOLDER
from expectations.verdict import LawResult
from tests.support.books import SOUND_BOOKS

SPEND = "main.fct_spend__campaign_daily"
DEALS = "main.fct_opportunity"
REVENUE = "main.fct_revenue__item"
RATES = "main.dim_fx_rate"
EFFECTS = "main.rpt_currency_effect__period"

NO_RATE = "no exchange rate on the day or in the week before"
WRONG = "the reporting amount is not the native one at the rate of the day"
WRONG_CONSTANT = "the constant amount is not the native one at the constant rate"
WRONG_EFFECT = "the effect of exchange rates is not that of the published amounts"

JudgeAfter = Callable[[str], LawResult]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """One warm judge for all cases."""
    with Judge.start(memory="1GB", threads=1) as started:
        yield started


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sound books, as a file."""
    path = tmp_path_factory.mktemp("sound") / "tieout.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(SOUND_BOOKS)
    return path


@pytest.fixture
def after(judge: Judge, sound: Path, tmp_path: Path) -> JudgeAfter:
    """What B9 says of the sound books after some SQL."""
    laws = tmp_path / "laws"
    laws.mkdir()
    shutil.copy(LAWS_FOLDER / "B9.sql", laws)

    def judged(sql: str) -> LawResult:
        path = tmp_path / "tieout.duckdb"
        shutil.copy(sound, path)
        with duckdb.connect(str(path)) as connection:
            connection.execute(sql)
        verdict = judge.verdict(path, laws=laws)
        assert verdict.error is None
        return verdict.result("B9")

    return judged


def test_amounts_at_their_rates_hold(after: JudgeAfter) -> None:
    result = after("select 1")
    assert (result.status, result.offending_rows) == ("held", [])
    assert (result.checked, result.unit, result.severity) == (11, "rows", "block")


HOLDS = {
    "an amount that is not known": f"update {REVENUE} set amount_minor = null,"
    f" reporting_amount_minor = null, constant_amount_minor = null;"
    f" delete from {EFFECTS} where metric = 'revenue'",
    "half a minor unit, either way": (  # 1001 × 1.5 is 1501.5
        f"update {REVENUE} set reporting_amount_minor = 1501 where revenue_id = 'R1';"
        f" update {EFFECTS} set reporting_minor = 1501, effect_minor = 250"
        " where metric = 'revenue' and currency = 'EUR'"
    ),
    "no rate for constant-currency views": (
        f"delete from {RATES} where basis = 'constant' and currency = 'EUR';"
        f" update {SPEND} set constant_amount_minor = null where currency = 'EUR';"
        f" update {DEALS} set constant_amount_minor = null where currency = 'EUR';"
        f" update {REVENUE} set constant_amount_minor = null where currency = 'EUR';"
        f" update {EFFECTS} set constant_minor = null, effect_minor = null where currency = 'EUR'"
    ),
    "spend at the plan's rate, as the policy says": (
        "update audit.plan_policy set spend_rate = 'plan';"
        f" update {SPEND} set rate_basis = 'plan', amount_minor = 2222 where currency = 'EUR';"
        f" update {EFFECTS} set reporting_minor = 2222, effect_minor = -278"
        " where metric = 'spend' and currency = 'EUR';"
        " update main.fct_spend__ad_daily set amount_minor = -30 where is_residual"
    ),
    "amounts near the limit of what is exact": (
        f"update {REVENUE} set amount_minor = 900000000000000001,"
        " reporting_amount_minor = 1350000000000000002,"
        " constant_amount_minor = 1125000000000000001 where revenue_id = 'R1';"
        f" update {EFFECTS} set native_minor = 900000000000000001,"
        " reporting_minor = 1350000000000000002, constant_minor = 1125000000000000001,"
        " effect_minor = 225000000000000001 where metric = 'revenue' and currency = 'EUR'"
    ),
}


@pytest.mark.parametrize("name", HOLDS)
def test_it_holds(name: str, after: JudgeAfter) -> None:
    result = after(HOLDS[name])
    assert (result.status, result.offending_rows) == ("held", [])


#: What is done to the sound books, and what the law must say: of what, in which currency, and why.
BREAKS: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    "a rate is missing": (
        f"delete from {RATES} where rate = 1.5;"
        f" update {SPEND} set amount_minor = null, rate_basis = null where currency = 'EUR';"
        f" update {REVENUE} set reporting_amount_minor = null where currency = 'EUR';"
        f" update {EFFECTS} set reporting_minor = null, effect_minor = null"
        " where currency = 'EUR' and metric in ('spend', 'revenue');"
        " update main.fct_spend__ad_daily set amount_minor = null",
        [("revenue", "EUR", NO_RATE), ("spend", "EUR", NO_RATE)],
    ),
    "a rate of the plan is missing": (
        f"delete from {RATES} where basis = 'plan';"
        f" update {DEALS} set opened_reporting_amount_minor = null where opportunity_id = 'O2';"
        f" update {EFFECTS} set reporting_minor = null, effect_minor = null"
        " where currency = 'EUR' and metric = 'pipeline_opened'",
        [("opportunity as opened", "EUR", NO_RATE)],
    ),
    "a rate is not published": (
        f"delete from {RATES} where basis = 'plan'",
        [("opportunity as opened", "EUR", "a reporting amount without a published rate")],
    ),
    "there is a rate, and it was not used": (
        f"update {REVENUE} set reporting_amount_minor = null where revenue_id = 'R1';"
        f" update {EFFECTS} set reporting_minor = null, effect_minor = null"
        " where currency = 'EUR' and metric = 'revenue'",
        [("revenue", "EUR", "there is a rate and no reporting amount")],
    ),
    "spend is a cent off": (
        f"update {SPEND} set amount_minor = 3001 where currency = 'EUR';"
        f" update {EFFECTS} set reporting_minor = 3001, effect_minor = 501"
        " where metric = 'spend' and currency = 'EUR';"
        " update main.fct_spend__ad_daily set amount_minor = 749 where is_residual",
        [("spend", "EUR", WRONG)],
    ),
    "dollars are not dollars": (
        f"update {REVENUE} set reporting_amount_minor = -501 where revenue_id = 'R2';"
        f" update {EFFECTS} set reporting_minor = -501, effect_minor = -1"
        " where metric = 'revenue' and currency = 'USD'",
        [("revenue", "USD", WRONG)],
    ),
    "revenue at the plan's rate": (
        f"update {REVENUE} set reporting_amount_minor = 1112 where revenue_id = 'R1';"
        f" update {EFFECTS} set reporting_minor = 1112, effect_minor = -139"
        " where metric = 'revenue' and currency = 'EUR'",
        [("revenue", "EUR", WRONG)],
    ),
    "an open deal is a cent off": (
        f"update {DEALS} set reporting_amount_minor = 119999 where opportunity_id = 'O1'",
        [("opportunity", "USD", WRONG)],
    ),
    "what a deal was opened with is a cent off": (
        f"update {DEALS} set opened_reporting_amount_minor = 40001 where opportunity_id = 'O2';"
        f" update {EFFECTS} set reporting_minor = 40001, effect_minor = -4999"
        " where metric = 'pipeline_opened' and currency = 'EUR'",
        [("opportunity as opened", "EUR", WRONG)],
    ),
    "a won deal at no day": (
        f"update {DEALS} set rate_date = null where opportunity_id = 'O2'",
        [("opportunity", "EUR", "a reporting amount without a published rate")],
    ),
    "spend at the day's rate against the policy": (
        "update audit.plan_policy set spend_rate = 'plan'",
        [("spend", "EUR", "converted at another rate than the policy asks for")],
    ),
    "spend at the plan's rate against the policy": (
        f"update {SPEND} set rate_basis = 'plan', amount_minor = 2222 where currency = 'EUR';"
        f" update {EFFECTS} set reporting_minor = 2222, effect_minor = -278"
        " where metric = 'spend' and currency = 'EUR';"
        " update main.fct_spend__ad_daily set amount_minor = -30 where is_residual",
        [("spend", "EUR", "converted at another rate than the policy asks for")],
    ),
    "a constant amount is a cent off": (
        f"update {REVENUE} set constant_amount_minor = 1253 where revenue_id = 'R1'",
        [("revenue", "EUR", WRONG_CONSTANT)],
    ),
    "a constant amount at no rate": (
        f"delete from {RATES} where basis = 'constant' and currency = 'USD'",
        [
            *[("opportunity", "USD", WRONG_CONSTANT), ("revenue", "USD", WRONG_CONSTANT)],
            *[("spend", "USD", WRONG_CONSTANT)] * 5,
        ],
    ),
    "a rate of nothing": (
        f"update {RATES} set rate = 0 where basis = 'plan' and currency = 'USD'",
        [("rate, plan", "USD", "a rate that is not above zero")],
    ),
    "two rates of one day": (
        f"insert into {RATES} values (null, 'market', 'EUR', 2, 1.5, '2026-03-10', '2026-03-13')",
        [("rate, market", "EUR", "two rates of one day")],
    ),
    "the residual is a cent off": (
        "update main.fct_spend__ad_daily set amount_minor = 749 where is_residual",
        [("spend", "EUR", "detail and residual do not add up to their total")],
    ),
    "the residual is gone": (
        "delete from main.fct_spend__ad_daily where is_residual",
        [("spend", "EUR", "detail and residual do not add up to their total")],
    ),
    "the effect leaves out a month": (
        f"delete from {EFFECTS} where period_start_date = '2025-11-01'",
        [("spend", "USD", WRONG_EFFECT)],
    ),
    "the effect is not the difference": (
        f"update {EFFECTS} set effect_minor = 0 where metric = 'won'",
        [("won", "EUR", WRONG_EFFECT)],
    ),
    "the effect of nothing": (
        f"update {EFFECTS} set currency = 'GBP' where metric = 'won'",
        [("won", "EUR", WRONG_EFFECT), ("won", "GBP", WRONG_EFFECT)],
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_not_at_its_rate_breaks(name: str, after: JudgeAfter) -> None:
    sql, told = BREAKS[name]
    result = after(sql)
    assert (result.status, result.blocks) == ("broken", True)
    found = [(row["entity"], row["currency"], row["problem"]) for row in result.offending_rows]
    assert sorted(found) == sorted(told)


def test_a_missing_rate_names_currency_day_and_feed(after: JudgeAfter) -> None:
    result = after(BREAKS["a rate is missing"][0])
    (row,) = [row for row in result.offending_rows if row["entity"] == "spend"]
    assert (row["feed"], row["currency"], str(row["day"])[:10]) == ("ads", "EUR", "2026-03-05")
    assert (row["item"], row["rows"]) == ("Google Ads / A", 1)


def test_missing_rates_can_be_tolerated_by_number(after: JudgeAfter) -> None:
    declared = "insert into audit.tolerance values ('{0}', 'law', 'B9', 1, 'a test account')"
    missing = BREAKS["a rate is missing"][0]
    result = after(f"{missing}; {declared.format('ads')}")
    assert (result.status, result.tolerated) == ("broken", 0)
    result = after(f"{missing}; {declared.format('ads')}; {declared.format('shop')}")
    assert (result.status, result.tolerated) == ("held", 2)


def test_without_anything_to_convert_it_does_not_apply(after: JudgeAfter) -> None:
    nothing = "; ".join(f"delete from {table}" for table in (SPEND, DEALS, REVENUE, EFFECTS))
    result = after(f"delete from audit.row; {nothing}; delete from main.fct_spend__ad_daily")
    assert result.status == "not applicable"


def test_amounts_that_are_gone_do_not_pass(after: JudgeAfter) -> None:
    nothing = "; ".join(f"delete from {table}" for table in (SPEND, DEALS, REVENUE, EFFECTS))
    assert after(f"{nothing}; delete from main.fct_spend__ad_daily").status == "broken"
