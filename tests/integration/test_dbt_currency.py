"""Currencies, rates and conversion, against Python's exact fractions and figures worked by hand.

Rules with a branch have a dbt unit test beside their model; here is what only a whole build shows:
that thousands of amounts of every exponent come out to the minor unit, halves away from zero.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.integration.dbt_fixture import Warehouse
from tests.integration.plan_fixture import Version, plan_rows

#: What is built: without the references to tables that are not.
MODELS = ("+rpt_currency_effect__period", "+dim_fx_rate", "--exclude", "test_type:data")
EXPONENT = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
#: Halves of a minor unit occur with every one of these on some day.
RATES: dict[str, Sequence[str]] = {
    "EUR": ("1.5", "1.05", "1.123456789", "0.995"),
    "JPY": ("0.0065", "0.005", "0.0075", "0.006543219"),
    "KWD": ("3.25", "3.275", "0.5", "3.333333333"),
}
ALL_RATES = {**RATES, "USD": ("0.3", "1.1", "0.505", "0.999999999")}
DAYS = ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08")


def exact(minor: int, rate: str, currency: str, reporting: str) -> Fraction:
    """Minor units of the reporting currency at a rate, not rounded."""
    return minor * Fraction(rate) * Fraction(10) ** (EXPONENT[reporting] - EXPONENT[currency])


def converted(minor: int, rate: str, currency: str, reporting: str = "USD") -> int:
    """The same in whole units, halves away from zero."""
    amount = exact(minor, rate, currency, reporting)
    whole = int(abs(amount) + Fraction(1, 2))
    return whole if amount >= 0 else -whole


def major(minor: int, currency: str) -> str:
    return str(Decimal(minor).scaleb(-EXPONENT[currency]))


def rates(of: Mapping[str, Sequence[str]] = RATES) -> list[dict[str, Any]]:
    return [
        {"day": day, "currency": currency, "rate": rate}
        for currency, by_day in of.items()
        for day, rate in zip(DAYS, by_day, strict=True)
    ]


def revenue(number: int, day: str, currency: str, minor: int) -> dict[str, Any]:
    return {
        "revenue_id": f"r{number}",
        "occurred_at": f"{day} 17:00",
        "currency": currency,
        "amount": major(minor, currency),
    }


def some_amounts(reporting: str, count: int) -> list[tuple[str, str, int]]:
    """Day, currency and minor units: small, large, negative, and many that end in a half."""
    chance = random.Random(7)
    found = []
    for _ in range(count):
        day = chance.choice(DAYS)
        currency = chance.choice([each for each in EXPONENT if each != reporting])
        minor = chance.randint(-1, 1) * chance.randint(0, 10 ** chance.choice([1, 2, 4, 8, 12, 15]))
        each = exact(1, ALL_RATES[currency][DAYS.index(day)], currency, reporting)
        if chance.random() < 0.5 and each.numerator % 2 and each.denominator % 2 == 0:
            # An odd multiple of half the denominator is worth an odd number of halves.
            minor = (2 * chance.randint(-(10**4), 10**4) + 1) * (each.denominator // 2)
        found.append((day, currency, minor))
    return found


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(tmp_path_factory.mktemp("currency"))


@pytest.fixture(scope="module", params=["USD", "JPY", "KWD"])
def converted_books(
    request: pytest.FixtureRequest, books: Warehouse
) -> tuple[Warehouse, list[tuple[str, str, int]], str]:
    """Thousands of amounts, the reporting currency one with two, no and three decimals."""
    reporting = request.param
    amounts = some_amounts(reporting, 6000)
    others = {currency: of for currency, of in ALL_RATES.items() if currency != reporting}
    books.build(
        {
            "run_parameter": [{"reporting_currency": reporting}],
            "fx_rates": rates(others),
            "revenue": [
                revenue(number, day, currency, minor)
                for number, (day, currency, minor) in enumerate(amounts)
            ],
            "spend": [
                {
                    "source": "Ads",
                    "account": f"a{number}",
                    "campaign": "A",
                    "day": day,
                    "currency": currency,
                    "cost": major(minor, currency),
                }
                for number, (day, currency, minor) in enumerate(amounts[:1500])
            ],
        },
        *MODELS,
    )
    return books, amounts, reporting


def test_every_amount_is_exact_halves_away_from_zero(
    converted_books: tuple[Warehouse, list[tuple[str, str, int]], str],
) -> None:
    warehouse, amounts, reporting = converted_books
    expected = {
        f"r{number}": (
            minor,
            converted(minor, ALL_RATES[currency][DAYS.index(day)], currency, reporting),
            converted(minor, ALL_RATES[currency][-1], currency, reporting),
        )
        for number, (day, currency, minor) in enumerate(amounts)
    }
    found = {
        row.pop("revenue_id"): tuple(row.values())
        for row in warehouse.rows(
            "select revenue_id, amount_minor, reporting_amount_minor, constant_amount_minor"
            " from fct_revenue__item"
        )
    }
    assert found == expected
    halves = [
        minor
        for day, currency, minor in amounts
        if exact(minor, ALL_RATES[currency][DAYS.index(day)], currency, reporting).denominator == 2
    ]
    assert len(halves) > 500
    spend = {
        row["account"]: (row["cost_minor"], row["amount_minor"], row["constant_amount_minor"])
        for row in warehouse.rows("select * from fct_spend__campaign_daily")
    }
    assert spend == {f"a{number}": expected[f"r{number}"] for number in range(len(spend))}
    assert len(spend) > 1000


MODEL = {"revenue": "fct_revenue__item", "spend": "fct_spend__campaign_daily"}


@pytest.mark.parametrize("table", MODEL)
@pytest.mark.parametrize(
    ("minor", "rate"),
    [(10**18, "1.5"), (9 * 10**17, "15"), (10**15, "99999999")],
    ids=["native", "product", "rate"],
)
def test_what_is_too_large_is_an_error_and_never_another_number(
    table: str, minor: int, rate: str, books: Warehouse
) -> None:
    spent = {"source": "Ads", "day": DAYS[0], "currency": "EUR", "cost": major(minor, "EUR")}
    row = revenue(1, DAYS[0], "EUR", minor) if table == "revenue" else spent
    inputs = {"fx_rates": [{"day": DAYS[0], "currency": "EUR", "rate": rate}], table: [row]}
    with pytest.raises(AssertionError, match=r"Conversion Error|Out of Range Error"):
        books.build(inputs, f"+{MODEL[table]}", "--exclude", "test_type:data")


PLAN = (
    Version(
        1, "2026-01-06", {}, {}, rates={"USD": "1", "EUR": "1.2"}, policy={"spend_rate": "plan"}
    ),
    Version(2, "2026-01-08", {}, {}, rates={"USD": "1", "EUR": "1.3", "JPY": "0.01"}),
)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Spend of 100 EUR and of 1,000 JPY a day, under no plan, its rates, and the day's again."""
    warehouse = Warehouse(tmp_path_factory.mktemp("planned"))
    warehouse.build(
        {
            **plan_rows(PLAN),
            "fx_rates": [
                *rates({"EUR": ("1.5", "1.05", "1.1", "1.25"), "JPY": RATES["JPY"]}),
                {"day": "2026-03-31", "currency": "EUR", "rate": "1.4"},
            ],
            "spend": [
                {"source": "Ads", "campaign": "A", "day": day, "currency": c, "cost": cost}
                for day in (*DAYS, "2026-02-20")
                for c, cost in (("EUR", "100"), ("JPY", "1000"), ("USD", "7"))
                if day in DAYS or c == "USD"
            ],
            "revenue": [revenue(1, "2026-01-06", "EUR", 10000)],
        },
        *MODELS,
    )
    return warehouse


def test_the_policy_of_the_day_decides_the_rate_of_spend(planned: Warehouse) -> None:
    found = {
        (str(row["spend_date"]), row["currency"]): (row["amount_minor"], row["rate_basis"])
        for row in planned.rows("select * from fct_spend__campaign_daily")
    }
    assert {key: value for key, value in found.items() if key[1] == "EUR"} == {
        ("2026-01-05", "EUR"): (15000, "market"),
        ("2026-01-06", "EUR"): (12000, "plan"),
        ("2026-01-07", "EUR"): (12000, "plan"),
        ("2026-01-08", "EUR"): (12500, "market"),
    }
    # Version 1 has no rate of the yen: its days' count.
    assert {value for key, value in found.items() if key[1] == "JPY"} == {
        (650, "market"), (500, "market"), (750, "market"), (654, "market"),
    }  # fmt: skip
    assert {value for key, value in found.items() if key[1] == "USD"} == {(700, "market")}


def test_the_journal_posts_the_same_money(planned: Warehouse) -> None:
    planned.dbt("run", "--select", "+fct_dollar_journal__entry")
    total = "select sum(amount_minor) as n from "
    journal = planned.row(total + "fct_dollar_journal__entry where from_stage = 'funding'")
    assert journal == planned.row(total + "fct_spend__campaign_daily")


def test_what_was_used_can_be_read(planned: Warehouse) -> None:
    rows = planned.rows(
        "select * from dim_fx_rate where currency <> 'USD' and basis <> 'market'"
        " order by basis, currency, valid_from_date"
    )
    told = [
        (row["basis"], row["plan_version"], row["currency"], row["exponent"], str(row["rate"]))
        for row in rows
    ]
    assert told == [
        ("constant", None, "EUR", 2, "1.300000000"),
        ("constant", None, "JPY", 0, "0.010000000"),
        ("plan", 1, "EUR", 2, "1.200000000"),
        ("plan", 2, "EUR", 2, "1.300000000"),
        ("plan", 2, "JPY", 0, "0.010000000"),
    ]
    plans = [str(row["valid_from_date"]) for row in rows if row["plan_version"] == 1]
    assert plans == ["2026-01-06"]
    market = planned.rows(
        "select valid_from_date, valid_to_date, rate from dim_fx_rate"
        " where basis = 'market' and currency = 'EUR' order by 1"
    )
    assert [(str(row["valid_from_date"]), str(row["valid_to_date"])) for row in market][-2:] == [
        ("2026-01-08", "2026-01-16"), ("2026-03-31", "2026-04-08"),
    ]  # fmt: skip


def test_the_effect_of_rates_is_what_constant_ones_leave(planned: Warehouse) -> None:
    found = {
        (row["metric"], row["currency"], str(row["period_start_date"])): (
            row["native_minor"], row["reporting_minor"], row["constant_minor"], row["effect_minor"],
        )
        for row in planned.rows("select * from rpt_currency_effect__period")
    }  # fmt: skip
    assert found == {
        ("spend", "EUR", "2026-01-01"): (40000, 51500, 52000, -500),
        ("spend", "JPY", "2026-01-01"): (4000, 2554, 4000, -1446),
        ("spend", "USD", "2026-01-01"): (2800, 2800, 2800, 0),
        ("spend", "USD", "2026-02-01"): (700, 700, 700, 0),
        ("revenue", "EUR", "2026-01-01"): (10000, 10500, 13000, -2500),
    }


def test_a_missing_rate_leaves_the_sum_unknown(books: Warehouse) -> None:
    books.build(
        {
            "fx_rates": [{"day": "2026-01-05", "currency": "EUR", "rate": "1.5"}],
            "revenue": [
                revenue(1, "2026-01-05", "EUR", 100),
                revenue(2, "2026-01-13", "EUR", 100),
                revenue(3, "2026-01-12", "EUR", 100),
            ],
        },
        *MODELS,
    )
    assert [
        row["reporting_amount_minor"]
        for row in books.rows("select * from fct_revenue__item order by revenue_id")
    ] == [150, None, 150]
    row = books.row("select * from rpt_currency_effect__period")
    assert (row["native_minor"], row["reporting_minor"], row["effect_minor"]) == (300, None, None)
    assert row["constant_minor"] == 450
