"""Small plans for tests of the dbt project: the tables a run reads of a plan, from a short form.

Belongs here: completing what a test does not care about (calendar, policy, roll-up). Does not
belong here: sheets, locks and signatures, which the plan's own tests cover.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

Rows = dict[str, list[dict[str, Any]]]

POLICY: dict[str, Any] = {
    "spend_rate": "spend_date",
    "pipeline_rate": "plan",
    "won_rate": "close_date",
    "commitment_policy": "warn",
    "variance_policy": "warn",
    "handoff_policy": "warn",
    "commitment_threshold_minor": 100_000,
    "commitment_grace_days": 5,
    "variance_after_pct": 25,
    "variance_sigma": "2",
    "funnel_tolerance_pct": "1",
    "promise_tolerance_pct": "5",
    "rollup_tolerance_pct": "0.5",
}
LINE: dict[str, Any] = {
    "owner": "ann",
    "owner_department": "sales",
    "tolerance_pct": "10",
    "cadence_days": 7,
    "curve": "standard",
}


@dataclass(frozen=True)
class Version:
    """One version: fiscal year 2026 by calendar months, in the reporting currency."""

    number: int
    effective_from: str
    #: (period, scope) → metric → value.
    targets: Mapping[tuple[str, str], Mapping[str, str | int]]
    #: metric, or (metric, scope) → what differs from `LINE`; metrics without one have no line.
    kpis: Mapping[Any, Mapping[str, Any]]
    #: scope → sources that it counts whole; `company` is there anyway.
    scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: curve → weight of a day of each month; `standard` weighs every day 1.
    curves: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    #: stage → first, latest or every.
    counts: Mapping[str, str] = field(default_factory=dict)
    #: currency → rate to the reporting currency, USD.
    rates: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    is_signed: bool = True
    #: Days from 1 January that have a weight.
    days: int = 365


def plan_rows(versions: Sequence[Version]) -> Rows:
    """The rows of every table that these versions fill."""
    rows: Rows = {
        name: []
        for name in (
            "plan_version",
            "plan_policy",
            "plan_period",
            "plan_day",
            "plan_scope",
            "plan_scope_source",
            "plan_stage",
            "plan_kpi",
            "plan_target",
            "plan_rate",
        )
    }
    for version in versions:
        for name, lines in _rows(version).items():
            rows[name] += [{"version": version.number} | line for line in lines]
    return rows


def _rows(version: Version) -> Rows:
    return {
        "plan_version": [
            {
                "title": "Plan",
                "currency": "USD",
                "sha256": "0" * 64,
                "is_signed": version.is_signed,
                "effective_from": version.effective_from,
            }
        ],
        "plan_policy": [POLICY | dict(version.policy)],
        "plan_period": _periods(),
        "plan_day": [
            {"curve": curve, "day": str(day), "weight": 1 if months is None else months[day.month]}
            for curve, months in {"standard": None, **version.curves}.items()
            for day in (date(2026, 1, 1) + timedelta(days=number) for number in range(version.days))
        ],
        "plan_scope": [
            {
                "scope": scope,
                "level": "channel" if scope.startswith("stretch") else scope.partition(":")[0],
                "parent_scope": None if scope == "company" else "company",
                "member": scope.partition(":")[2] or None,
                "is_stretch": scope.startswith("stretch"),
                "sheet_row": row,
            }
            for row, scope in enumerate(["company", *version.scopes], start=2)
        ],
        "plan_scope_source": [
            {"scope": scope, "source": source}
            for scope, sources in version.scopes.items()
            for source in sources
        ],
        "plan_stage": [
            {"stage": stage, "counts": version.counts.get(stage, "first")}
            for stage in ("lead", "mql", "sal", "sql")
        ],
        "plan_kpi": [
            LINE
            | {
                "sheet_row": row,
                "metric": key if isinstance(key, str) else key[0],
                "scope": None if isinstance(key, str) else key[1],
            }
            | dict(line)
            for row, (key, line) in enumerate(version.kpis.items(), start=2)
        ],
        "plan_target": [
            {"period": period, "scope": scope, "metric": metric, "value": value, "sheet_row": row}
            for row, ((period, scope), figures) in enumerate(version.targets.items(), start=2)
            for metric, value in figures.items()
        ],
        "plan_rate": [
            {"currency": currency, "rate": rate}
            for currency, rate in {"USD": "1", **version.rates}.items()
        ],
    }


def _periods() -> list[dict[str, Any]]:
    edges = [date(2026 + month // 12, month % 12 + 1, 1) for month in range(13)]
    spans = [
        ("FY2026", "year", None, 0, 12),
        *((f"FY2026-Q{n + 1}", "quarter", "FY2026", 3 * n, 3 * n + 3) for n in range(4)),
        *((f"FY2026-M{n + 1:02d}", "month", f"FY2026-Q{n // 3 + 1}", n, n + 1) for n in range(12)),
    ]
    return [
        {
            "period": period,
            "period_kind": kind,
            "parent_period": parent,
            "fiscal_year": 2026,
            "period_start_date": str(edges[first]),
            "period_end_date": str(edges[end]),
        }
        for period, kind, parent, first, end in spans
    ]
