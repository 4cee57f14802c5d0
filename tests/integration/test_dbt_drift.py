"""Drift: the evidence against a planned rate is what its formula says, and it may be believed.

Small cohorts against Python's own arithmetic; then some hundreds of streams of leads whose true
rate is known, through the same model: false alarms stay within alpha whatever order leads settle
in, and a broken rate is found within the leads that theory asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from math import comb, exp, log
from statistics import median
from typing import Any

import duckdb
import pytest

from tests.integration.dbt_fixture import Warehouse

Row = dict[str, Any]

ALPHA = 0.01
BETS = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
MODELS = (
    "+rpt_drift__cohort_transition", "+fct_lead_stage__interval", "+fct_opportunity",
    "+fct_opportunity_stage__interval",
)  # fmt: skip
NOON = datetime(2026, 1, 1, 17)  # in New York


def evidence(outcomes: Sequence[tuple[bool, float]]) -> float:
    """The average over the bets of the product of 1 + l * (x - p0), l = -s / (1 - p0)."""
    total = 0.0
    for bet in BETS:
        product = 1.0
        for converted, p0 in outcomes:
            product *= 1 - bet / (1 - p0) * (float(converted) - p0)
        total += product
    return total / len(BETS)


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
    """Read in the order of settling and of entering: the larger of what each has ever been."""
    row = cohort(warehouse, "campaign:Ads / A")
    failed, converted = (False, 0.5), (True, 0.5)
    # a1 settles first; then a3 leaves while a2 is undecided; a4 converts, a2 is past its window.
    settling = [
        [converted], [converted, converted, failed],
        [converted, converted, failed, converted],
        [converted, failed, failed, converted],
        [converted, failed, failed, converted, converted],
    ]  # fmt: skip
    entering = [[converted, failed, failed, converted, converted][:count] for count in range(1, 6)]
    assert float(row["max_evidence"]) == pytest.approx(
        max(evidence(each) for each in (*settling, *entering)), abs=1e-6
    )
    assert float(row["evidence"]) == pytest.approx(evidence(settling[-1]), abs=1e-6)
    assert (float(row["alarm_evidence"]), row["is_alarm"], row["alarmed_at"]) == (100, False, None)


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
    # Lost before the other was won: that one counts as won already.
    assert float(row["max_evidence"]) == pytest.approx(
        evidence([(True, 0.3), (False, 0.3)]), abs=1e-6
    )


def test_without_a_plan_nothing_is_judged(tmp_path_factory: pytest.TempPathFactory) -> None:
    books = Warehouse(tmp_path_factory.mktemp("empty"))
    company = small_company()
    books.build({name: company[name] for name in ("leads", "lead_events", "stage_map")}, *MODELS)
    assert books.rows("select * from rpt_drift__cohort_transition") == []


#: Streams of each kind: name, how many, true rate, hours until a conversion and until a failure
#: (None: the window passes).
STREAMS = {
    "alike": (150, 0.4, "1 + i % 3", "1 + i % 3"),
    "failures fast": (150, 0.4, "240", "1"),
    "conversions fast": (150, 0.4, "1", None),
    "broken": (300, 0.08, "1", "1"),
    "broken and slow": (50, 0.2, "1", None),
}
PLANNED = 0.4
LEADS_OF_STREAM = 160


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Every stream is a campaign of its own; the books are filled with leads by one statement."""
    campaigns = [
        f"{name} {number}" for name, (streams, *_) in STREAMS.items() for number in range(streams)
    ]
    books = Warehouse(tmp_path_factory.mktemp("simulated"))
    books.build(
        {
            "campaigns": [{"source": "Ads", "campaign": name} for name in campaigns],
            "plan_version": [version(1, "2026-01-01")],
            "plan_policy": [{"version": 1}],
            "plan_period": [period("FY2026-Q1", "quarter", "2026-01-01", "2026-04-01")],
            "plan_scope": [scope(f"campaign:Ads / {name}") for name in campaigns]
            + [scope("company")],
            "plan_target": [target("FY2026-Q1", "company", "rate_mql_sal", str(PLANNED))],
            "plan_kpi": [kpi_line("rate_mql_sal", 14)],
        },
        *MODELS,
    )
    with duckdb.connect(str(books.database)) as connection:
        for name, (streams, rate, until_conversion, until_failure) in STREAMS.items():
            failed_at = f"entered_at + to_hours({until_failure})" if until_failure else "entered_at"
            connection.execute(
                f"""
                insert into fct_lead by name
                with drawn as (
                    select stream, i, timestamp '{NOON}' + to_hours(i * 6) as entered_at,
                        hash(concat_ws(' ', '{name}', stream, i)) % 1000000 < {rate} * 1000000
                            as is_converted
                    from range({streams}) as streams(stream), range({LEADS_OF_STREAM}) as leads(i)
                )
                select 'crm' as feed, format('{name} {{}} {{:03d}}', stream, i) as lead_id,
                    'Ads' as source, format('Ads / {name} {{}}', stream) as campaign_key,
                    if(is_converted, 'sal', '{"rejected" if until_failure else "mql"}') as stage,
                    if(is_converted, entered_at + to_hours({until_conversion}), {failed_at})
                        as stage_entered_at,
                    1 as mql_entries, true as is_qualified, false as is_claimed_unqualified,
                    entered_at as created_at, entered_at::date as created_date,
                    date_trunc('month', entered_at)::date as cohort_start_date,
                    entered_at as first_mql_at,
                    if(is_converted, entered_at + to_hours({until_conversion}), null)
                        as first_sal_at
                from drawn
                """
            )
    books.dbt("run", "--select", "rpt_drift__cohort_transition")
    return books


def cohorts(simulated: Warehouse, name: str) -> list[Row]:
    rows = simulated.rows(
        "select * from rpt_drift__cohort_transition"
        f" where regexp_matches(scope, '^campaign:Ads / {name} [0-9]+$')"
    )
    assert len(rows) == STREAMS[name][0]
    assert {row["matured"] for row in rows} == {LEADS_OF_STREAM}
    return rows


def most_by_chance(trials: int, probability: float) -> int:
    """Alarms that are exceeded with a probability of one in a thousand at most (binomial)."""
    seen, total = 0, 0.0
    while True:
        total += comb(trials, seen) * probability**seen * (1 - probability) ** (trials - seen)
        if total >= 0.999:
            return seen
        seen += 1


@pytest.mark.parametrize("name", ["alike", "failures fast", "conversions fast"])
def test_a_rate_that_is_met_raises_no_more_alarms_than_alpha(
    simulated: Warehouse, name: str
) -> None:
    """Whatever settles first: evidence is looked at with every lead, and may be."""
    rows = cohorts(simulated, name)
    assert sum(row["is_alarm"] for row in rows) <= most_by_chance(len(rows), ALPHA)
    assert all(row["is_alarm"] == (row["max_evidence"] >= 100) for row in rows)


def test_taken_in_the_order_of_settling_alone_fast_failures_would_alarm(
    simulated: Warehouse,
) -> None:
    """What the model guards against: the same streams, read without those who are undecided."""
    rows = simulated.rows(
        "select campaign_key, first_sal_at is not null as is_converted from fct_lead"
        " where campaign_key like 'Ads / failures fast %'"
        " order by campaign_key, stage_entered_at, lead_id"
    )
    streams: dict[str, list[tuple[bool, float]]] = {}
    for row in rows:
        streams.setdefault(row["campaign_key"], []).append((row["is_converted"], PLANNED))
    alarms = sum(evidence(stream[:20]) >= 1 / ALPHA for stream in streams.values())
    assert alarms > 0.9 * len(streams)


def test_a_broken_rate_is_found_within_the_leads_that_theory_asks_for(simulated: Warehouse) -> None:
    """ln(1 / alpha) / KL(p || p0) is 17.4 for 8 % where 40 % were planned; no test needs fewer."""
    rows = cohorts(simulated, "broken")
    assert all(row["is_alarm"] for row in rows)
    taken = [row["matured_at_alarm"] for row in rows]
    limit = log(1 / ALPHA) / (0.08 * log(0.08 / PLANNED) + 0.92 * log(0.92 / (1 - PLANNED)))
    assert 17 < limit < 18
    assert median(taken) <= 20
    assert sum(taken) / len(taken) <= 1.35 * limit


def test_alarms_come_when_the_lead_that_raised_them_has_settled(simulated: Warehouse) -> None:
    for row in cohorts(simulated, "broken")[:20]:
        settled = NOON + timedelta(hours=6 * (row["matured_at_alarm"] - 1) + 1)
        assert row["alarmed_at"] == settled
    # Slow failures settle with the end of the last day of their window.
    for row in cohorts(simulated, "broken and slow"):
        if row["is_alarm"]:
            entered = NOON + timedelta(hours=6 * (row["matured_at_alarm"] - 1))
            assert timedelta(days=14) < row["alarmed_at"] - entered <= timedelta(days=15)


def test_slow_failures_are_found_too(simulated: Warehouse) -> None:
    rows = cohorts(simulated, "broken and slow")
    assert sum(row["is_alarm"] for row in rows) >= 0.9 * len(rows)


def test_more_than_a_million_to_one_is_shown_as_that(simulated: Warehouse) -> None:
    assert exp(50) > 1e6
    assert {float(row["max_evidence"]) for row in cohorts(simulated, "broken")} == {1e6}
