"""The plan's arithmetic: exact steps, carried volumes, missing rates, what closes a gap."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.lib.plan import arithmetic
from orchestration.lib.plan.arithmetic import PROMISE, Step, funnel, multiply_out, remedies, rounded
from orchestration.lib.plan.check import decimal_text


def figures(**given: str) -> dict[str, Fraction]:
    return {name: Fraction(text) for name, text in given.items()}


MIRAGE = figures(
    rate_mql_sal="0.4", rate_sal_sql="0.5", rate_sql_opportunity="0.4", acv="50000"
)  # fmt: skip


def step(found: tuple[Step, ...], metric: str) -> Step:
    return next(each for each in found if each.metric == metric)


def test_what_500_mqls_multiply_out_to() -> None:
    steps = multiply_out(Fraction(500), MIRAGE)
    assert [(each.metric, each.expected) for each in steps] == [
        ("sals", 200),
        ("sqls", 100),
        ("opportunities", 40),
        ("pipeline", 2_000_000),
    ]


def test_what_would_close_the_gap() -> None:
    found = {
        each.metric: (each.needed, each.is_possible)
        for each in remedies(Fraction(500), MIRAGE, Fraction(5_000_000))
    }
    assert found == {
        "mqls": (1250, True),
        "rate_mql_sal": (1, True),
        "rate_sal_sql": (Fraction(5, 4), False),
        "rate_sql_opportunity": (1, True),
        "acv": (125_000, True),
    }


def test_no_remedy_where_nothing_can_be_multiplied() -> None:
    known = {name: value for name, value in MIRAGE.items() if name != "acv"}
    assert remedies(Fraction(500), known, Fraction(1)) == ()
    assert remedies(Fraction(0), MIRAGE, Fraction(1)) == ()
    unknown = multiply_out(Fraction(500), known)[-1]
    assert (unknown.expected, unknown.lacking) == (None, ("acv",))


@given(
    st.integers(1, 10**6).map(Fraction),
    st.lists(st.fractions(Fraction(1, 1000), 1), min_size=3, max_size=3),
    st.integers(1, 10**9).map(Fraction),
    st.integers(1, 10**12).map(Fraction),
)
def test_each_remedy_alone_closes_the_gap(
    mqls: Fraction, rates: list[Fraction], acv: Fraction, pipeline: Fraction
) -> None:
    known = dict(zip(("rate_mql_sal", "rate_sal_sql", "rate_sql_opportunity"), rates, strict=True))
    known["acv"] = acv
    for remedy in remedies(mqls, known, pipeline):
        changed = {"mqls": mqls, **known, remedy.metric: remedy.needed}
        product = changed["mqls"]
        for _, _, factor in PROMISE:
            product *= changed[factor]
        assert product == pipeline


def test_a_volume_left_out_is_carried() -> None:
    found = funnel(figures(budget="1000", cost_per_lead="3", rate_lead_mql="0.5", mqls="170"))
    assert step(found, "leads").expected == Fraction(333_333_333_333, 10**9)
    assert step(found, "mqls").expected == Fraction(166_666_666_667, 10**9)  # half up
    assert step(found, "mqls").problem(Fraction(1), needs_rates=True) == (
        "the plan states more than its rates give"
    )
    assert step(found, "mqls").problem(Fraction(2), needs_rates=True) is None


def test_missing_rates_are_collected_until_a_volume_is_stated() -> None:
    found = funnel(figures(leads="1000", sals="100", opportunities="10", rate_sal_sql="0.5"))
    sals, opportunities = step(found, "sals"), step(found, "opportunities")
    assert (sals.lacking, sals.implied) == (("rate_lead_mql", "rate_mql_sal"), Fraction(1, 10))
    # 100 × 50 % × ? = 10
    assert opportunities.lacking == ("rate_sql_opportunity",)
    assert opportunities.implied == Fraction(1, 5)
    assert sals.problem(Fraction(1), needs_rates=False) is None


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"budget": "100", "cost_per_lead": "0", "leads": "5"}, "the figures divide by 0"),
        ({"budget": "0", "cost_per_lead": "0", "leads": "5"}, None),
        ({"budget": "0", "leads": "5"}, None),
        ({"budget": "0", "cost_per_lead": "2", "leads": "5"},
         "the plan states more than its rates give"),
        ({"budget": "100", "leads": "5"}, "no rate is stated"),
        ({"leads": "5"}, None),
    ],
)  # fmt: skip
def test_leads_and_what_they_cost(given: dict[str, str], problem: str | None) -> None:
    found = step(funnel(figures(**given)), "leads")
    assert found.problem(Fraction(1), needs_rates=True) == problem


@pytest.mark.parametrize(
    ("metrics", "is_top", "needs"),
    [
        ({"budget": "1", "leads": "1"}, False, False),
        ({"budget": "1", "leads": "1"}, True, True),
        ({"budget": "1", "rate_lead_mql": "1"}, False, True),
        ({"cost_per_lead": "1", "acv": "1"}, False, False),
    ],
)
def test_who_owes_a_rate(metrics: dict[str, str], is_top: bool, needs: bool) -> None:
    assert arithmetic.needs_rates(figures(**metrics), is_top=is_top) is needs


@given(st.fractions(0, 10**6))
def test_rounding_is_half_up_to_nine_digits(value: Fraction) -> None:
    found = rounded(value)
    assert (found * 10**9).denominator == 1
    assert -Fraction(1, 2 * 10**9) < found - value <= Fraction(1, 2 * 10**9)


@given(st.decimals(-(10**12), 10**12, places=9))
def test_a_figure_is_written_in_full(value: Decimal) -> None:
    text = decimal_text(Fraction(value))
    assert text is not None and Decimal(text) == value
    assert "." not in text or not text.endswith("0")


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.005", "0.01"), ("-0.004", "0"), ("-0.005", "-0.01"), ("1234.5", "1234.5"), ("10", "10")],
)
def test_two_digits(value: str, text: str) -> None:
    assert decimal_text(Fraction(value), digits=2) == text
