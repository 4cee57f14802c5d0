"""Volumes and money beside the plan's curve: what the report says, against Python's own arithmetic.

By the SQL that a run executes, on days that are given by hand; and simulated arrivals that keep to
the plan, which may raise few alarms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from math import exp, log
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from benchmarks.drift import ALPHA, SEED
from tests.integration.drift_fixture import KPI_MODELS, compiled_drift, empty_books
from tests.integration.test_drift_evidence import most_by_chance

Row = dict[str, Any]

START = date(2026, 1, 5)
BEHIND = (0.25, 0.5, 0.7, 0.85)
AHEAD = (1.15, 1.4, 2.0, 3.0)
SHRINKING = (0.1, 0.15, 0.25, 0.4)


class Books:
    """Days of KPIs beside what was due on each, and what the report says of them."""

    def __init__(self, as_of: str = "2026-04-15 12:00") -> None:
        self.connection = empty_books()
        self.as_of = as_of
        self.days: list[pd.DataFrame] = []
        self.kpis: list[Row] = []
        self.loads: list[Row] = []

    def kpi(
        self,
        metric: str,
        done: Sequence[float],
        due: Sequence[float],
        *,
        scope: str = "company",
        deal: int | None = None,
        outside: Iterable[int] = (),
        has_passed: bool = True,
        tolerance: float | None = 10,
    ) -> None:
        """One KPI of a period that begins at START; `due` of deals' size: how many were closed."""
        unit, kind = {"budget": ("minor", "volume"), "pipeline": ("minor", "volume"),
                      "acv": ("minor", "price")}.get(metric, ("count", "volume"))  # fmt: skip
        days = pd.DataFrame(
            {
                "period": "P", "scope": scope, "metric": metric,
                "day": [START + timedelta(days=number) for number in range(len(done))],
                "version": 1,
                "numerator": np.cumsum(done).astype(np.int64),
                "denominator": np.cumsum(due).astype(np.int64) if metric == "acv" else 0,
                "expected_value": np.cumsum(due).astype(float),
                "is_outside_tolerance": [number in set(outside) for number in range(len(done))],
            }
        )  # fmt: skip
        self.days.append(days)
        self.kpis.append(
            {"version": 1, "period": "P", "scope": scope, "metric": metric, "kind": kind,
             "unit": unit, "is_measured": True, "plan_value": float(deal or 1),
             "deal_value_minor": deal, "plan_due_value": float(sum(due)),
             "numerator": int(sum(done)), "denominator": 1, "has_actual": True,
             "is_additive": kind == "volume", "owner": "ann", "has_passed": has_passed,
             "tolerance_pct": tolerance, "period_start_date": START,
             "period_end_date": START + timedelta(days=90)}
        )  # fmt: skip

    def delivered(self, table: str, newest: str, cadence_hours: int) -> None:
        """A table of the only feed, and how old it may be."""
        self.loads.append({"table_name": table, "data_to": newest, "hours": cadence_hours})

    def report(self) -> dict[tuple[str, str], Row]:
        """The rows by metric and scope."""
        execute = self.connection.execute
        execute(compiled_drift()["kpis"].statement())
        execute(
            "create or replace table stg_landed__run_parameter as"
            f" select timestamp '{self.as_of}' as as_of, 'UTC' as time_zone"
        )
        execute(
            "create or replace table stg_landed__load"
            " (feed varchar, table_name varchar, data_to timestamp);"
            "create or replace table stg_landed__cadence"
            " (feed varchar, table_name varchar, cadence_hours bigint)"
        )
        for load in self.loads:
            execute("insert into stg_landed__load values ('crm', $table_name, $data_to)",
                    {name: load[name] for name in ("table_name", "data_to")})  # fmt: skip
            execute("insert into stg_landed__cadence values ('crm', $table_name, $hours)",
                    {name: load[name] for name in ("table_name", "hours")})  # fmt: skip
        days, kpis = pd.concat(self.days), pd.DataFrame(self.kpis)
        self._table("int_plan__kpi_day", days, "cast(expected_value as decimal(38, 9))"
                    " as expected_value, cast(day as date) as day")  # fmt: skip
        dates = "".join(
            f", cast({column} as date) as {column}"
            for column in ("period_start_date", "period_end_date")
        )
        for name in ("int_plan__kpi_period", "int_plan_vs_actual__kpi_period"):
            self._table(
                name, kpis,
                "cast(plan_due_value as decimal(38, 9)) as plan_due_value,"
                "cast(plan_value as decimal(38, 9)) as plan_value" + dates,
            )  # fmt: skip
        for name in KPI_MODELS:
            execute(compiled_drift()[name].statement())
        cursor = execute("select * from rpt_drift__kpi_period")
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
        return {(row["metric"], row["scope"]): row for row in rows}

    def _table(self, name: str, frame: pd.DataFrame, replaced: str) -> None:
        self.connection.register("frame", frame)
        self.connection.execute(
            f"create or replace table {name} as select * replace ({replaced}) from frame"
        )
        self.connection.unregister("frame")


def expected(done: Sequence[float], due: Sequence[float]) -> dict[str, list[float]]:
    """Dispersion before each step, and evidence after it, both ways."""
    found: dict[str, list[float]] = {"dispersion": [], "behind": [], "ahead": []}
    residuals: list[float] = []
    totals = {"behind": [0.0] * 4, "ahead": [0.0] * 4}
    for number, (came, planned) in enumerate(zip(done, due, strict=True)):
        dispersion = max(1.0, (20 + sum(residuals)) / (10 + len(residuals)))
        found["dispersion"].append(dispersion)
        for name, paces in (("behind", BEHIND), ("ahead", AHEAD)):
            for place, pace in enumerate(paces):
                totals[name][place] += ((1 - pace) * planned + log(pace) * came) / dispersion
            found[name].append(sum(exp(total) for total in totals[name]) / 4)
        if sum(done[:number]) > 0:
            mean = sum(done[:number]) / sum(due[:number]) * planned
            residuals.append((came - mean) ** 2 / mean)
    return found


def test_the_evidence_is_that_of_its_formula() -> None:
    """What comes at a weekend counts on Monday, where the curve has no weekends."""
    rng = np.random.default_rng(SEED)
    done = rng.poisson(2, 42).tolist()
    due = [0 if number % 7 in (5, 6) else 5 for number in range(42)]
    books = Books()
    books.kpi("leads", done, due)
    (row,) = books.report().values()
    # The last weekend has no Monday.
    steps = [number for number, planned in enumerate(due) if planned]
    came = [
        sum(done[before + 1 : number + 1])
        for before, number in zip([-1, *steps], steps, strict=False)
    ]
    found = expected(came, [5] * len(steps))
    assert float(row["evidence"]) == pytest.approx(found["behind"][-1], rel=1e-5)
    assert float(row["max_evidence"]) == pytest.approx(max(found["behind"]), rel=1e-5)
    assert float(row["ahead_evidence"]) == pytest.approx(found["ahead"][-1], abs=1e-6)
    assert float(row["max_ahead_evidence"]) == pytest.approx(max(1, *found["ahead"]), rel=1e-5)
    assert float(row["dispersion"]) == pytest.approx(found["dispersion"][-1], abs=1e-5)
    first = next(place for place, value in enumerate(found["behind"]) if value >= 100)
    assert row["alarmed_on"] == START + timedelta(days=steps[first])
    assert row["known_to_date"] == START + timedelta(days=steps[-1])
    assert (row["verdict"], row["is_alarm"], row["is_ahead"]) == ("behind", True, False)


def test_a_verdict_on_counts() -> None:
    books = Books()
    for scope, came in (("half", 5), ("on plan", 10), ("double", 20)):
        books.kpi("leads", [came] * 40, [10] * 40, scope=scope)
    books.kpi("leads", [1] * 8, [1] * 8, scope="few")
    found = {scope: row for (_, scope), row in books.report().items()}
    assert {scope: row["verdict"] for scope, row in found.items()} == {
        "half": "behind", "on plan": "believable", "double": "ahead", "few": "cannot tell yet",
    }  # fmt: skip
    assert found["double"]["ahead_on"] < START + timedelta(days=14)
    assert (found["double"]["is_ahead"], found["double"]["alarmed_on"]) == (True, None)
    assert found["half"]["ahead_on"] is None


def test_pipeline_is_reckoned_in_planned_deals() -> None:
    books = Books()
    books.kpi("pipeline", [20_000] * 40, [50_000] * 40, deal=10_000)
    books.kpi("leads", [2] * 40, [5] * 40)
    found = books.report()
    one, other = found["pipeline", "company"], found["leads", "company"]
    for name in ("evidence", "max_evidence", "dispersion", "alarmed_on"):
        assert one[name] == other[name]


def test_deals_that_shrink_are_found_and_large_ones_are_none_of_its_business() -> None:
    books = Books()
    for scope, size in (("half", 5_000), ("as planned", 10_000), ("large", 90_000)):
        books.kpi("acv", [3 * size] * 60, [3] * 60, scope=scope, deal=10_000)
    books.kpi("acv", [30_000] * 5, [3] * 5, scope="few", deal=10_000)
    found = {scope: row for (_, scope), row in books.report().items()}
    assert {scope: row["verdict"] for scope, row in found.items()} == {
        "half": "behind", "as planned": "cannot tell yet", "large": "cannot tell yet",
        "few": "cannot tell yet",
    }  # fmt: skip
    # After n deals of half the size.
    values = [
        sum(exp(bet * deals / 2 - bet * bet * deals) for bet in SHRINKING) / 4
        for deals in range(3, 181, 3)
    ]
    first = next(place for place, value in enumerate(values) if value >= 100)
    assert found["half"]["alarmed_on"] == START + timedelta(days=first)
    assert float(found["half"]["max_evidence"]) == pytest.approx(max(values), rel=1e-5)
    assert {row["ahead_evidence"] for row in found.values()} == {0}


def test_spend_is_held_to_its_band() -> None:
    """Since the day after it was last inside; a band has no evidence."""
    books = Books()
    books.kpi("budget", [200] * 30, [100] * 30, scope="over", outside=[3, *range(8, 30)])
    books.kpi("budget", [20] * 30, [100] * 30, scope="under", outside=range(30))
    books.kpi("budget", [100] * 30, [100] * 30, scope="back inside", outside=range(10, 20))
    books.kpi("budget", [20] * 3, [100] * 3, scope="too early", has_passed=False)
    books.kpi("budget", [20] * 30, [100] * 30, scope="no tolerance", tolerance=None)
    found = {scope: row for (_, scope), row in books.report().items()}
    assert {scope: row["verdict"] for scope, row in found.items()} == {
        "over": "ahead", "under": "behind", "back inside": "believable",
        "too early": "cannot tell yet", "no tolerance": "cannot tell yet",
    }  # fmt: skip
    assert found["over"]["ahead_on"] == START + timedelta(days=8)
    assert found["under"]["alarmed_on"] == START
    for row in found.values():
        assert row["method"] == "band"
        assert {row[name] for name in ("evidence", "max_evidence", "ahead_evidence",
                                       "max_ahead_evidence", "dispersion")} == {None}  # fmt: skip


@pytest.mark.parametrize("cadence_hours", [24, 24 * 60])
def test_silence_of_a_late_feed_is_no_shortfall(cadence_hours: int) -> None:
    """Nothing after 15 January: of a feed that owes it, it is missing; else it has not happened."""
    books = Books(as_of="2026-02-20 12:00")
    quiet = [10] * 11 + [0] * 35
    books.kpi("leads", quiet, [10] * 46)
    books.kpi("budget", quiet, [10] * 46, outside=range(14, 46))
    books.delivered("leads", "2026-01-16 01:00", cadence_hours)
    books.delivered("spend", "2026-01-15 00:00", cadence_hours)
    found = books.report()
    leads, spend = found["leads", "company"], found["budget", "company"]
    if cadence_hours == 24:
        assert (leads["verdict"], spend["verdict"]) == ("late data", "late data")
        assert leads["known_to_date"] == spend["known_to_date"] == date(2026, 1, 15)
        assert (leads["alarmed_on"], spend["alarmed_on"]) == (None, None)
    else:
        # In time, the newest lead says how far it goes; spend goes on being expected.
        assert (leads["verdict"], spend["verdict"]) == ("cannot tell yet", "behind")
        assert spend["known_to_date"] == date(2026, 2, 19)


@pytest.mark.parametrize(
    ("as_of", "newest", "verdicts"),
    [
        ("2026-01-04 12:00", None, set()),
        ("2026-01-05 12:00", None, {"cannot tell yet"}),
        ("2026-01-09 12:00", "2026-01-04 23:00", {"late data"}),
    ],
)
def test_a_period_that_has_begun_has_its_row_before_any_day_is_known(
    as_of: str, newest: str | None, verdicts: set[str]
) -> None:
    """Silence about a KPI would read as if nobody had planned it."""
    books = Books(as_of=as_of)
    for metric in ("leads", "pipeline", "acv", "budget"):
        books.kpi(metric, [10] * 5, [10] * 5, deal=10_000)
    for table in ("leads", "opportunities", "spend"):
        if newest is not None:
            books.delivered(table, newest, 24)
    found = books.report()
    assert {row["verdict"] for row in found.values()} == verdicts
    assert len(found) == (4 if verdicts else 0)
    for (metric, _), row in found.items():
        assert row["method"] == ("band" if metric == "budget" else "evidence")
        assert (row["is_alarm"], row["is_ahead"], row["known_to_date"]) == (False, False, None)
        assert {row[name] for name in ("evidence", "max_evidence", "ahead_evidence",
                                       "max_ahead_evidence", "dispersion")} == {None}  # fmt: skip


def alarms(done: NDArray[np.int64], due: float) -> tuple[int, int]:
    """How many of the rows, each a scope with its days, are ever behind, and ahead."""
    books = Books()
    books.kpi("leads", done[0].tolist(), [due] * done.shape[1])
    (days,), (kpi,) = books.days, books.kpis
    scopes = [f"scope {number}" for number in range(len(done))]
    books.days = [pd.concat([days] * len(done), ignore_index=True)]
    books.days[0]["scope"] = np.repeat(scopes, done.shape[1])
    books.days[0]["numerator"] = np.cumsum(done, axis=1).ravel()
    books.kpis = [kpi | {"scope": scope} for scope in scopes]
    rows = books.report().values()
    assert len(rows) == len(done)
    return (
        sum(row["alarmed_on"] is not None for row in rows),
        sum(row["ahead_on"] is not None for row in rows),
    )


def test_arrivals_on_plan_raise_no_more_alarms_than_alpha() -> None:
    """Poisson, and in lots of two; without dispersion the latter would."""
    rng = np.random.default_rng(SEED)
    for lot in (1, 2):
        behind, ahead = alarms(lot * rng.poisson(1, (600, 60)), lot)
        assert max(behind, ahead) <= most_by_chance(600, ALPHA)


def test_large_lots_are_its_limit() -> None:
    """As the decisions say: lots of five cost up to a tenth, and arrivals at 0.7 are found."""
    rng = np.random.default_rng(SEED)
    behind, ahead = alarms(5 * rng.poisson(1, (400, 60)), 5)
    assert most_by_chance(400, ALPHA) < min(behind, ahead)
    assert max(behind, ahead) < 0.1 * 400
    behind, _ = alarms(rng.poisson(3.5, (200, 60)), 5)
    assert behind > 0.85 * 200
