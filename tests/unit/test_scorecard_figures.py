"""How the scorecard writes figures, which sentence it begins with, and that its flow adds up."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from orchestration.lib.scorecard import flow
from orchestration.lib.scorecard.figures import Form, Sheet, Writer, metric_name
from orchestration.lib.scorecard.queries import Answer, Query, ScorecardError, filled, literal
from orchestration.lib.scorecard.verdict import judge


@pytest.mark.parametrize(
    ("currency", "exponent", "value", "form", "signed", "text"),
    [
        ("USD", 2, 123456, "money", False, "$1,234.56"),
        ("USD", 2, -123456, "money", False, "−$1,234.56"),
        ("USD", 2, 123450, "whole", True, "+$1,235"),
        ("USD", 2, -49, "whole", True, "$0"),
        ("JPY", 0, 1234567, "money", False, "¥1,234,567"),
        ("KWD", 3, 1234567, "money", False, "1,234.567\N{NARROW NO-BREAK SPACE}KWD"),
        ("USD", 2, Decimal("0.0805"), "rate", False, "8.1\N{NARROW NO-BREAK SPACE}%"),
        ("USD", 2, Decimal("-0.04"), "percent", True, "0.0\N{NARROW NO-BREAK SPACE}%"),
        ("USD", 2, Decimal("12.5000"), "count", False, "12.5"),
        ("USD", 2, Decimal("500.000"), "count", False, "500"),
        ("USD", 2, Decimal("1.55"), "times", False, "1.6×"),
        ("USD", 2, None, "money", False, "–"),
    ],
)
def test_a_figure_is_written_in_its_currency_and_unit(
    currency: str, exponent: int, value: Any, form: Form, signed: bool, text: str
) -> None:
    assert Writer(currency, exponent).write(value, form, signed=signed) == text


def test_kpis_have_the_names_people_use() -> None:
    assert metric_name("rate_mql_sal") == "MQL → SAL"
    assert metric_name("rate_opportunity_won") == "opportunity → won"
    assert metric_name("cost_per_lead") == "cost per lead"


def test_what_is_filled_into_a_query_is_a_literal() -> None:
    assert filled("where period = $period", {"period": literal("it's")}) == (
        "where period = 'it''s'"
    )
    with pytest.raises(KeyError):
        filled("$unknown", {})


# --- The sentence --------------------------------------------------------------------------------


def kpi(metric: str, **changed: Any) -> dict[str, Any]:
    parts = metric.split("_")
    is_rate = parts[0] == "rate"
    facts = {
        "metric": metric,
        "kind": "rate" if is_rate else "volume",
        "from_stage": parts[1] if is_rate else None,
        "to_stage": parts[2] if is_rate else None,
        "status": "on plan",
        "actual_value": Decimal("0.4") if is_rate else Decimal(100),
        "plan_to_date_value": Decimal("0.4") if is_rate else Decimal(100),
        "variance_minor": 0,
        "variance_size_minor": 0,
        "of_plan_pct": Decimal(100),
    }
    return facts | changed


def sheet(kpis: list[dict[str, Any]], **others: list[dict[str, Any]]) -> Sheet:
    answers = {
        name: Answer(Query(name, name, "", ()), "", tuple(rows))
        for name, rows in ({"kpi": kpis} | others).items()
    }
    return Sheet(answers, Writer("USD", 2))


def said(found: Sheet) -> tuple[str, str]:
    verdict = judge(found)
    return verdict.word, re.sub(r"<[^>]*>", "", verdict.sentence).replace("\u202f", " ")


FUNNEL = ("leads", "mqls", "rate_mql_sal", "sals", "rate_sal_sql", "pipeline")


def funnel(**changed: dict[str, Any]) -> list[dict[str, Any]]:
    return [kpi(metric, **changed.get(metric, {})) for metric in FUNNEL]


def test_a_plan_that_holds() -> None:
    assert said(sheet(funnel())) == (
        "on plan",
        "Sales has accepted 100 leads of 100 planned, pipeline stands at 100.0 % of plan, and every"
        " planned rate holds.",
    )


def test_volumes_there_and_the_handoff_broken() -> None:
    found = funnel(
        rate_mql_sal={"actual_value": Decimal("0.08"), "status": "behind"},
        pipeline={
            "status": "behind",
            "variance_size_minor": 150_000,
            "plan_to_date_value": 200_000,
        },
    )
    cost = [{"metric": "wins", "times_plan": Decimal("1.6")}]
    assert said(sheet(found, unit_cost=cost)) == (
        "behind plan",
        "Marketing delivers its 100 MQLs (plan 100), but Sales accepts 8.0 % of MQLs where the plan"
        " has 40.0 %; pipeline is $1,500 short of the $2,000 due, and a new customer costs 1.6×"
        " what was planned.",
    )


def test_more_leads_than_planned_and_a_later_step_disproved() -> None:
    found = funnel(
        leads={"status": "ahead", "of_plan_pct": Decimal(121)},
        rate_sal_sql={"actual_value": Decimal("0.3")},
    )
    drift = [{"metric": "rate_sal_sql", "verdict": "alarm"}]
    assert said(sheet(found, drift=drift)) == (
        "watch",
        "Leads run at 121.0 % of plan, but only 30.0 % of accepted leads become SQLs where the plan"
        " has 40.0 %; pipeline, at 100.0 % of plan, does not show it yet.",
    )


def test_what_is_disproved_is_named_before_what_only_misses() -> None:
    found = funnel(rate_mql_sal={"status": "behind", "variance_minor": -900})
    drift = [{"metric": "rate_sal_sql", "verdict": "alarm"}]
    assert "of accepted leads become SQLs" in said(sheet(found, drift=drift))[1]


def test_too_few_volumes_at_rates_that_hold() -> None:
    found = funnel(mqls={"status": "behind", "of_plan_pct": Decimal(60), "variance_minor": -5})
    word, sentence = said(sheet(found))
    assert word == "behind plan"
    assert sentence.startswith("The planned rates hold, but MQLs stand at 60.0 % of what is due")


def test_too_early_to_say() -> None:
    found = [kpi(metric, status="not yet") for metric in FUNNEL]
    assert said(sheet(found))[0] == "cannot tell yet"
    assert said(sheet([]))[0] == "no plan"


@pytest.mark.parametrize(
    ("projected", "word"), [("pivot", "pivot"), ("watch", "watch"), ("on track", "on track")]
)
def test_the_gravest_word_is_shown(projected: str, word: str) -> None:
    ways = [{"metric": "pipeline", "verdict": projected}]
    assert said(sheet(funnel(), trajectory=ways))[0] == word
    behind = funnel(
        rate_mql_sal={"status": "behind"}, pipeline={"status": "behind"}, sals={"status": "behind"}
    )
    shown = said(sheet(behind, trajectory=ways))[0]
    assert shown == ("pivot" if projected == "pivot" else "behind plan")


# --- The flow ------------------------------------------------------------------------------------


def part(channel: str, furthest: str, stage: str, amount_minor: int) -> dict[str, Any]:
    return {
        "channel": channel,
        "furthest": furthest,
        "stage": stage,
        "amount_minor": amount_minor,
        "leads": 1,
    }


def test_both_sides_of_the_flow_are_as_high_as_their_dollars() -> None:
    parts = [
        part("search", "none", "in_market", 100),
        part("search", "lead", "lead", 300),
        part("search", "mql", "rejected", 200),
        part("social", "won", "won", 350),
        part("social", "opportunity", "lost", 50),
        part("social", "none", "no_lead", -30),
    ]
    ends = [
        (stage, kind, f"<{stage}>")
        for stage, kind in (
            ("won", "funnel"),
            ("lead", "funnel"),
            ("rejected", "exit"),
            ("lost", "exit"),
            ("in_market", "holding"),
            ("no_lead", "holding"),
        )
    ]
    reached = dict.fromkeys(flow.MIDDLE, "1")
    drawn = flow.draw(parts, [("search", "6"), ("social", "4")], ends, reached, "T")
    wide, narrow = drawn.split('<div class="narrow">')
    for picture in (wide, narrow):
        heights: dict[float, float] = {}
        for x, height in re.findall(
            r'<rect class="node" x="([\d.]+)" .*?height="([\d.]+)"', picture
        ):
            heights[float(x)] = heights.get(float(x), 0.0) + float(height)
        left, right = heights[min(heights)], heights[max(heights)]
        assert left == pytest.approx(right, abs=1.0)
        assert picture.count("total  T") == 2
        assert "&lt;no_lead&gt;" in picture, "what has no thickness is still named"


def test_a_file_without_its_laws_has_no_page(tmp_path: Any) -> None:
    import duckdb

    from orchestration.lib.scorecard.page import render

    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema meta; create table meta.publication (number bigint)")
    with pytest.raises(ScorecardError, match="lacks"):
        render(path)
