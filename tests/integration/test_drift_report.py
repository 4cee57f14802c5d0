"""The report on cohorts: discoveries among many, verdicts, and what had been spent.

By the SQL that a run executes, on evidence that is given by hand. What the evidence is:
test_dbt_drift and test_drift_evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.integration.drift_fixture import REPORT, compiled_drift, empty_books

Row = dict[str, Any]

#: Share of discoveries that may be false.
ALPHA_FDR = 0.05


def report(cohorts: Sequence[Row]) -> list[Row]:
    """The report on cohorts, each with what differs from a sound one, in their order."""
    connection = empty_books()
    _tables(connection, [_cohort(number, row) for number, row in enumerate(cohorts, 1)])
    cursor = connection.execute(f"from ({compiled_drift()[REPORT].query}) order by scope")
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def _cohort(number: int, differs: Row) -> Row:
    row: Row = {
        "level": "campaign", "metric": "rate_mql_sal", "matured": 50, "rate": 0.4, "behind": 1.0,
        "max_behind": 1.0, "ahead": 1.0, "max_ahead": 1.0, "late": False, "alarm": None,
        "alarmed_at": "2026-02-10 12:00", "number": number,
    }  # fmt: skip
    return row | differs | {"scope": f"{differs.get('level', 'campaign')}:{number:04}"}


def _tables(connection: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
    connection.execute(
        """
        create table stg_landed__run_parameter as
        select timestamp '2026-03-31 12:00' as as_of, 'America/New_York' as time_zone;
        create table dim_kpi as
        select metric, 'rate' as kind, 'mql' as from_stage, 'sal' as to_stage
        from (values ('rate_mql_sal'), ('rate_sal_sql')) as metrics (metric);
        create table int_kpi__scope_daily as
        select 'budget' as metric, 'campaign:0001' as scope, day, numerator
        from (values
            (date '2025-12-31', 1), (date '2026-01-01', 20), (date '2026-02-09', 300),
            (date '2026-02-10', 4000), (date '2026-03-31', 50000), (date '2026-04-01', 600000)
        ) as spent (day, numerator);
        create table int_plan__kpi_period as
        select 'budget' as metric, 'P' as period, 'campaign:0001' as scope,
            cast(amount as decimal(38, 9)) as plan_in_force_value
        from (values (40000), (35000)) as amounts (amount);
        create table int_drift__stream (
            cohort_number bigint, metric varchar, period varchar, scope varchar,
            period_start_date date, period_end_date date
        );
        create table int_drift__evidence (
            cohort_number bigint, plan_version bigint, entered bigint, matured bigint,
            converted bigint, expected_rate double, behind_evidence double,
            max_behind_evidence double, ahead_evidence double, max_ahead_evidence double,
            is_committed boolean, is_awaited_late boolean
        );
        create table int_drift__alarm (
            cohort_number bigint, direction varchar, matured bigint, alarmed_at timestamp
        )
        """
    )
    connection.executemany(
        "insert into int_drift__stream"
        " values ($number, $metric, 'P', $scope, date '2026-01-01', date '2026-04-01')",
        [{name: row[name] for name in ("number", "metric", "scope")} for row in rows],
    )
    named = ("number", "matured", "rate", "behind", "max_behind", "ahead", "max_ahead", "late")
    connection.executemany(
        "insert into int_drift__evidence values ($number, 1, 90, $matured, 9, $rate, $behind,"
        " $max_behind, $ahead, $max_ahead, false, $late)",
        [{name: row[name] for name in named} for row in rows],
    )
    alarmed = [row for row in rows if row["alarm"]]
    if alarmed:
        connection.executemany(
            "insert into int_drift__alarm values ($number, $alarm, 12, $alarmed_at)",
            [{name: row[name] for name in ("number", "alarm", "alarmed_at")} for row in alarmed],
        )


def e_value(today: float, most: float) -> float:
    """The average of today's evidence and of the maximum after its adjustment."""
    adjusted = 0.5 if most < 1.001 else (most - 1 - log(most)) / log(most) ** 2
    return (today + adjusted) / 2


def discoveries(e_values: Sequence[float]) -> list[bool]:
    """e-BH, by its definition: the largest k of which the k-th largest is n / (k * alpha)."""
    count = len(e_values)
    ranked = sorted(e_values, reverse=True)
    named = max(
        (k for k in range(1, count + 1) if ranked[k - 1] >= count / (k * ALPHA_FDR)), default=0
    )
    return [named > 0 and value >= ranked[named - 1] for value in e_values]


@pytest.mark.parametrize("seed", range(4))
def test_discoveries_are_those_of_e_bh(seed: int) -> None:
    """In each list of its own: one metric, period and level; both directions; ties."""
    rng = np.random.default_rng(seed)
    cohorts = []
    for level in ("campaign", "channel"):
        for metric in ("rate_mql_sal", "rate_sal_sql"):
            for _ in range(int(rng.integers(1, 40))):
                row: Row = {"level": level, "metric": metric}
                for name in ("behind", "ahead"):
                    broken = rng.random() < 0.2
                    today = float(np.round(np.exp(rng.normal(6 if broken else -1, 1.5)), 1))
                    row |= {name: today, f"max_{name}": max(today, 1.0)}
                cohorts.append(row)
    found = report(cohorts)
    named = 0
    for direction, prefix in (("behind", ""), ("ahead", "ahead_")):
        for family in {(row["level"], row["metric"]) for row in cohorts}:
            given = [
                e_value(row[direction], row[f"max_{direction}"])
                for row in cohorts
                if (row["level"], row["metric"]) == family
            ]
            rows = [row for row in found if (row["scope"].split(":")[0], row["metric"]) == family]
            assert [float(row[f"{prefix}e_value"]) for row in rows] == pytest.approx(
                given, abs=1e-6
            )
            said = [row[f"is_{prefix}discovery"] for row in rows]
            assert said == discoveries(given)
            named += sum(said)
    assert 0 < named < len(cohorts)


def test_an_alarm_among_many_is_no_discovery_and_among_few_it_is() -> None:
    """Evidence of 150 stands out among 2, and not among 200."""
    loud: Row = {"behind": 150.0, "max_behind": 150.0, "alarm": "behind"}
    for others, is_discovery in ((1, True), (199, False)):
        rows = report([loud] + [{}] * others)
        assert (rows[0]["is_alarm"], rows[0]["is_discovery"]) == (True, is_discovery)
        assert not any(row["is_discovery"] for row in rows[1:])


def test_verdicts() -> None:
    """Lateness before silence, an alarm before all; and how many are enough to say something."""
    rate = 0.4
    lost = 0.7 * rate
    enough = 1.3 * log(100) / (lost * log(0.7) + (1 - lost) * log((1 - lost) / (1 - rate)))
    rows = report(
        [
            {"alarm": "behind", "late": True},
            {"alarm": "ahead", "late": True},
            {"matured": 100_000, "late": True},
            {"matured": int(enough), "rate": rate},
            {"matured": int(enough) + 1, "rate": rate},
        ]
    )
    assert [row["verdict"] for row in rows] == [
        "alarm", "ahead", "late data", "cannot tell yet", "believable",
    ]  # fmt: skip
    assert (rows[1]["is_ahead"], rows[1]["is_alarm"], rows[1]["matured_at_ahead"]) == (
        True, False, 12,
    )  # fmt: skip
    assert 190 < enough < 191


def test_what_was_spent_by_the_alarm() -> None:
    """Of the period, up to the end of the alarm's day where the company is; of the whole budget."""
    alarm: Row = {"alarm": "behind", "alarmed_at": "2026-02-10 02:00"}
    # In New York that is the evening of the ninth.
    (row,) = report([alarm])
    assert (row["spent_at_alarm_minor"], row["budget_minor"]) == (320, 75_000)
    (row,) = report([alarm | {"alarmed_at": "2026-02-10 12:00"}])
    assert row["spent_at_alarm_minor"] == 4320
    # Nothing is said where there is no alarm that it is behind.
    rows = report([{}, {"alarm": "ahead"}])
    assert [row["spent_at_alarm_minor"] for row in rows] == [None, None]
