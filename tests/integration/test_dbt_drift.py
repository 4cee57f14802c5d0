"""Drift in small books: whom a cohort holds, when each settles, and what the report says of it.

Against Python's own arithmetic. What many simulated cohorts show is in test_drift_evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest

from tests.integration.dbt_fixture import Warehouse

Row = dict[str, Any]

#: Losses that are bet on, and their weights; odds that are bet on, and theirs.
BEHIND = ((0.15, 2), (0.4, 2), (0.85, 5))
AHEAD = ((1.15, 2), (1.4, 2), (2.2, 3), (5.0, 4))
MODELS = (
    "+rpt_drift__cohort_transition", "+fct_lead_stage__interval", "+fct_opportunity",
    "+fct_opportunity_stage__interval",
)  # fmt: skip


def evidence(outcomes: Sequence[tuple[bool, float]], direction: str = "behind") -> float:
    """The average over the bets of the product of 1 + l * (x - p0): once all have settled."""
    total = 0.0
    bets = BEHIND if direction == "behind" else AHEAD
    for bet, weight in bets:
        product = 1.0
        for converted, p0 in outcomes:
            slope = -bet / (1 - p0) if direction == "behind" else (bet - 1) / (1 + p0 * (bet - 1))
            product *= 1 + slope * (float(converted) - p0)
        total += weight * product
    return total / sum(weight for _, weight in bets)


def most(outcomes: Sequence[tuple[bool, float]], direction: str = "behind") -> float:
    """The largest over all prefixes of the order of entry."""
    return max(evidence(outcomes[:count], direction) for count in range(len(outcomes) + 1))


def kpi_line(metric: str, window_days: int | None, **more: Any) -> Row:
    return {"version": 1, "sheet_row": 2, "metric": metric, "window_days": window_days} | more


def target(period: str, scope: str, metric: str, value: str, **more: Any) -> Row:
    return {
        "version": 1, "period": period, "scope": scope, "metric": metric, "value": value,
        "sheet_row": 2,
    } | more  # fmt: skip


def scope(name: str, **more: Any) -> Row:
    level, _, member = name.partition(":")
    return {
        "version": 1, "scope": name, "level": level, "member": member or None, "is_stretch": False,
        "sheet_row": 2,
    } | more  # fmt: skip


def version(number: int, effective_from: str, **more: Any) -> Row:
    return {
        "version": number, "title": "Plan", "currency": "USD", "sha256": "0" * 64,
        "is_signed": True, "effective_from": effective_from,
    } | more  # fmt: skip


def period(name: str, kind: str, start: str, end: str, **more: Any) -> Row:
    return {
        "version": 1, "period": name, "period_kind": kind, "fiscal_year": 2026,
        "period_start_date": start, "period_end_date": end,
    } | more  # fmt: skip


STAGES = [
    {"feed": "crm", "entity": entity, "raw_status": stage, "stage": stage}
    for entity, stage in [
        ("lead", "mql"), ("lead", "sal"), ("lead", "rejected"), ("lead", "recycled"),
        ("opportunity", "opportunity"), ("opportunity", "won"), ("opportunity", "lost"),
    ]
]  # fmt: skip


class Company:
    """Leads and their changes, as they are put together."""

    def __init__(self) -> None:
        self.leads: list[Row] = []
        self.events: list[Row] = []

    def lead(self, lead_id: str, campaign: str, *changes: tuple[str, str]) -> None:
        """A lead that is created on the day of its first change."""
        day = changes[0][0]
        self.leads.append(
            {"lead_id": lead_id, "created_at": f"{day} 12:00", "source": "Ads",
             "campaign": campaign}
        )  # fmt: skip
        self.events += [
            {"lead_id": lead_id, "occurred_at": f"{when} 17:00", "status": status}
            for when, status in changes
        ]


def small_company() -> dict[str, list[Row]]:
    """Four campaigns: planned alike, planned apart, committed, and one without anything."""
    company = Company()
    # A: the company's rate. One converts, one is too late, one was sent back and is back, one was
    # sent back and converts in time, one is undecided.
    company.lead("a1", "A", ("2026-01-05", "mql"), ("2026-01-06", "sal"))
    company.lead("a2", "A", ("2026-01-06", "mql"), ("2026-01-21", "sal"))
    company.lead("a3", "A", ("2026-01-07", "mql"), ("2026-01-08", "rejected"))
    company.lead("a4", "A", ("2026-01-08", "mql"), ("2026-01-09", "recycled"),
                 ("2026-01-10", "mql"), ("2026-01-20", "sal"))  # fmt: skip
    company.lead("a5", "A", ("2026-01-09", "mql"), ("2026-01-23", "sal"))
    company.lead("a6", "A", ("2026-03-25", "mql"))
    # B: its own rate; version 2 asks for less from February on.
    company.lead("b1", "B", ("2026-01-10", "mql"), ("2026-01-11", "rejected"))
    company.lead("b2", "B", ("2026-02-10", "mql"), ("2026-02-11", "rejected"))
    # C: Sales has committed to a rate for January's cohort, and changed its word.
    company.lead("c1", "C", ("2026-01-15", "mql"), ("2026-01-16", "rejected"))
    company.lead("c2", "C", ("2026-02-15", "mql"), ("2026-02-16", "rejected"))
    # Before any version is in force.
    company.lead("x1", "A", ("2025-12-15", "mql"), ("2025-12-16", "rejected"))
    both = (1, 2)
    return {
        "campaigns": [{"source": "Ads", "campaign": name, "channel": "paid"} for name in "ABC"],
        "leads": company.leads,
        "lead_events": company.events,
        "opportunities": [
            {"opportunity_id": name, "created_at": f"{day} 12:00", "source": "Ads",
             "campaign": "A", "stage": stage, "stage_at": f"{changed} 12:00", "is_deleted": False}
            for name, day, stage, changed in [
                ("o1", "2026-01-05", "won", "2026-02-05"),
                ("o2", "2026-01-06", "lost", "2026-01-10"),
                ("o3", "2026-01-07", "opportunity", "2026-01-07"),
            ]
        ],
        "stage_map": STAGES,
        "plan_version": [
            version(1, "2026-01-01", effective_to="2026-02-01"), version(2, "2026-02-01"),
        ],
        "plan_policy": [{"version": number} for number in both],
        "plan_period": [
            row | {"version": number}
            for number in both
            for row in (
                period("FY2026-Q1", "quarter", "2026-01-01", "2026-04-01"),
                period("FY2026-M01", "month", "2026-01-01", "2026-02-01"),
                period("FY2026-M02", "month", "2026-02-01", "2026-03-01"),
                period("FY2026-M03", "month", "2026-03-01", "2026-04-01"),
            )
        ],
        "plan_scope": [
            scope(name, version=number)
            for number in both
            for name in ("company", "channel:paid", "campaign:Ads / A", "campaign:Ads / B")
        ],
        "plan_target": [
            target("FY2026-Q1", "company", "rate_mql_sal", "0.5"),
            target("FY2026-Q1", "company", "rate_mql_sal", "0.4", version=2),
            target("FY2026-Q1", "campaign:Ads / B", "rate_mql_sal", "0.6"),
            target("FY2026-Q1", "campaign:Ads / B", "rate_mql_sal", "0.3", version=2),
            target("FY2026-Q1", "company", "rate_opportunity_won", "0.3"),
        ],
        "plan_kpi": [
            kpi_line("rate_mql_sal", 14, version=number) for number in both
        ] + [kpi_line("rate_opportunity_won", None)],
        "plan_commitment": [
            {"number": number, "campaign_key": f"Ads / {campaign}",
             "cohort_start_date": "2026-01-01", "metric": metric, "rate": rate,
             "window_days": 10, "committed_by": "sven", "committed_at": "2026-01-02 12:00"}
            for number, campaign, metric, rate in [
                (1, "C", "rate_mql_sal", "0.8"), (2, "C", "rate_mql_sal", "0.7"),
                (3, "C", "rate_lead_mql", "0.9"),
            ]
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    books = Warehouse(tmp_path_factory.mktemp("drift"))
    books.build(small_company(), *MODELS)
    return books


def cohort(warehouse: Warehouse, scope: str, metric: str = "rate_mql_sal",
           period: str = "FY2026-Q1") -> Row:  # fmt: skip
    return warehouse.row(
        "select * from rpt_drift__cohort_transition"
        f" where scope = '{scope}' and metric = '{metric}' and period = '{period}'"
    )


def test_a_cohort_is_counted_as_it_settles(warehouse: Warehouse) -> None:
    """On the last day of the window is in time; who came back from an exit may still convert."""
    row = cohort(warehouse, "campaign:Ads / A")
    assert (row["entered"], row["matured"], row["converted"]) == (6, 5, 3)
    # The last one entered when version 2 asked for less.
    assert float(row["expected_rate"]) == pytest.approx((5 * 0.5 + 0.4) / 6)
    assert float(row["actual_rate"]) == 0.6
    assert (row["from_stage"], row["to_stage"], row["is_committed"]) == ("mql", "sal", False)
    assert (row["period_start_date"], row["plan_version"]) == (date(2026, 1, 1), 2)


def test_the_evidence_is_that_of_its_formula(warehouse: Warehouse) -> None:
    """The order of entry; who waits counts for the plan; the most of all prefixes."""
    row = cohort(warehouse, "campaign:Ads / A")
    behind = [(True, 0.5), (False, 0.5), (False, 0.5), (True, 0.5), (True, 0.5), (True, 0.4)]
    ahead = [*behind[:5], (False, 0.4)]
    for name, outcomes in (("behind", behind), ("ahead", ahead)):
        prefix = "" if name == "behind" else "ahead_"
        assert float(row[f"{prefix}evidence"]) == pytest.approx(evidence(outcomes, name), abs=1e-6)
        assert float(row[f"max_{prefix}evidence"]) == pytest.approx(most(outcomes, name), abs=1e-6)
    assert (float(row["alarm_evidence"]), row["is_alarm"], row["alarmed_at"]) == (100, False, None)
    assert (row["verdict"], row["is_ahead"], row["is_discovery"]) == (
        "cannot tell yet", False, False,
    )  # fmt: skip


def test_a_lead_is_held_to_the_rate_in_force_when_it_entered(warehouse: Warehouse) -> None:
    row = cohort(warehouse, "campaign:Ads / B")
    assert float(row["expected_rate"]) == pytest.approx((0.6 + 0.3) / 2)
    assert float(row["evidence"]) == pytest.approx(evidence([(False, 0.6), (False, 0.3)]), abs=1e-6)


def test_a_committed_rate_is_the_campaigns_and_the_last_word_counts(warehouse: Warehouse) -> None:
    row = cohort(warehouse, "campaign:Ads / C")
    assert row["is_committed"]
    assert float(row["expected_rate"]) == pytest.approx((0.7 + 0.4) / 2)
    assert float(row["evidence"]) == pytest.approx(evidence([(False, 0.7), (False, 0.4)]), abs=1e-6)
    # The channel and the company are held to what was planned for them.
    assert not cohort(warehouse, "channel:paid")["is_committed"]
    assert cohort(warehouse, "channel:paid")["entered"] == 10
    # A rate that only Sales has promised: by month.
    only = cohort(warehouse, "campaign:Ads / C", "rate_lead_mql", "FY2026-M01")
    assert (only["entered"], float(only["expected_rate"])) == (1, 0.9)


def test_open_deals_without_a_window_are_no_failures(warehouse: Warehouse) -> None:
    row = cohort(warehouse, "company", "rate_opportunity_won")
    assert (row["entered"], row["matured"], row["converted"]) == (3, 2, 1)
    # Who is open counts as won.
    assert float(row["evidence"]) == pytest.approx(
        evidence([(True, 0.3), (False, 0.3), (True, 0.3)]), abs=1e-6
    )


def test_silence_of_a_late_feed_settles_nobody(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What was said explicitly counts; nothing said after the newest delivery is no failure."""
    company = small_company()
    for number in range(30):
        # Of five, one is rejected and four are never heard of again.
        lead = {"lead_id": f"s{number}", "created_at": "2026-03-01 12:00", "source": "Ads",
                "campaign": "A"}  # fmt: skip
        company["leads"].append(lead)
        company["lead_events"] += [
            {"lead_id": lead["lead_id"], "occurred_at": f"2026-03-0{day} 17:00", "status": status}
            for day, status in ([(1, "mql"), (2, "rejected")] if number % 5 == 0 else [(1, "mql")])
        ]
    found = {}
    for newest in ("2026-03-31 22:00", "2026-03-10 12:00"):
        books = Warehouse(tmp_path_factory.mktemp("late"))
        load = {
            "feed": "crm", "load": 1, "mode": "snapshot", "loaded_at": "2026-03-31 23:00",
            "is_newest": True, "raw_rows": 1, "landed_rows": 1, "quarantined_rows": 0,
        }  # fmt: skip
        books.build(
            company
            | {
                "load": [load | {"table_name": "leads", "file": "a", "data_to": "2026-03-31 22:00"},
                         load | {"table_name": "lead_events", "file": "b", "data_to": newest}],
                "cadence": [{"feed": "crm", "table_name": "lead_events", "cadence_hours": 24,
                             "is_daily": False}],
            },
            *MODELS,
        )  # fmt: skip
        found[newest] = cohort(books, "campaign:Ads / A")
    fresh, late = found.values()
    assert (fresh["entered"], fresh["matured"], fresh["verdict"]) == (36, 35, "alarm")
    # a1 to a5 are settled, and the six who were rejected.
    assert (late["entered"], late["matured"], late["verdict"]) == (36, 11, "late data")
    assert fresh["alarmed_at"] > datetime(2026, 3, 15)


def test_without_a_plan_nothing_is_judged(tmp_path_factory: pytest.TempPathFactory) -> None:
    books = Warehouse(tmp_path_factory.mktemp("empty"))
    company = small_company()
    books.build({name: company[name] for name in ("leads", "lead_events", "stage_map")}, *MODELS)
    assert books.rows("select * from rpt_drift__cohort_transition") == []
