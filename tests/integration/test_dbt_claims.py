"""Claims and the bridge: every reason by itself and together, on one small company.

A department stands for a way of counting here: it is named for the reasons that the plan declares
for it, and claims zero, so that all it differs from the books by shows as lines and as what is left
unexplained.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orchestration.lib.landing import land
from orchestration.lib.sample import CompanySpec, generate
from orchestration.lib.sources.config import load_sources
from orchestration.settings import Home
from tests.integration.dbt_fixture import Warehouse
from tests.support.built import build

Row = dict[str, Any]

MODELS = (
    "+rpt_claims_bridge__period", "+rpt_handoff_bridge__period", "+audit_claim", "+int_kpi__daily",
    "dim_campaign", "dim_stage", "+fct_opportunity", "+fct_opportunity_stage__interval",
    "+fct_lead_stage__interval",
)  # fmt: skip
FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))
MARCH = (date(2026, 3, 1), date(2026, 3, 31))
CLAIMED_AT = "2026-03-05 12:00"


def lead(lead_id: str, created: str, **columns: Any) -> Row:
    usual = {"source": "Google Ads", "campaign": "Brand US", "score": 80}
    return {"lead_id": lead_id, "created_at": f"{created} 15:00"} | usual | columns


def change(lead_id: str, day: str, status: str) -> Row:
    return {"lead_id": lead_id, "occurred_at": f"{day} 16:00", "status": status}


def deal(opportunity_id: str, created: str, amount: str, stage: str, **columns: Any) -> Row:
    usual = {"currency": "USD", "source": "Google Ads", "campaign": "Brand US", "is_deleted": False}
    return {
        "opportunity_id": opportunity_id, "created_at": f"{created} 15:00", "amount": amount,
        "stage": stage,
    } | usual | columns  # fmt: skip


def spend(day: str, cost: str, **columns: Any) -> Row:
    usual = {"source": "Google Ads", "campaign": "Brand US", "currency": "USD", "kind": "media"}
    return {"day": day, "cost": cost, "loaded_at": f"{day} 23:00"} | usual | columns


#: Reasons that are declared, the metric, the period, and the lines that must come out of it.
CASES: list[tuple[str, str, tuple[date, date], dict[str, str]]] = [
    ("", "mqls", FEBRUARY, {}),
    ("test_record", "mqls", FEBRUARY, {"test_record": "2"}),
    (
        "test_record below_definition", "mqls", FEBRUARY,
        {"test_record": "3", "below_definition": "1"},
    ),
    ("excluded_domain", "mqls", FEBRUARY, {"excluded_domain": "1"}),
    ("merged", "mqls", FEBRUARY, {"merged": "1"}),
    ("duplicate", "mqls", FEBRUARY, {"duplicate": "1"}),
    ("test_record duplicate", "mqls", FEBRUARY, {"test_record": "2", "duplicate": "2"}),
    ("below_definition", "mqls", FEBRUARY, {"below_definition": "1"}),
    ("repeat_entry", "mqls", FEBRUARY, {"repeat_entry": "2"}),
    (
        "below_definition repeat_entry", "mqls", FEBRUARY,
        {"below_definition": "1", "repeat_entry": "2"},
    ),
    ("different_date", "mqls", FEBRUARY, {"different_date": "1"}),
    (
        "below_definition different_date", "mqls", FEBRUARY,
        {"below_definition": "1", "different_date": "2"},
    ),
    ("merged different_date", "mqls", FEBRUARY, {"merged": "1", "different_date": "1"}),
    ("", "accepted_leads", FEBRUARY, {}),
    ("", "sqls", FEBRUARY, {}),
    ("test_record", "leads", FEBRUARY, {"test_record": "3"}),
    ("excluded_domain", "leads", FEBRUARY, {"excluded_domain": "1"}),
    ("merged", "leads", FEBRUARY, {"merged": "1"}),
    ("duplicate", "leads", FEBRUARY, {"duplicate": "1"}),
    ("test_record duplicate", "leads", FEBRUARY, {"test_record": "3", "duplicate": "2"}),
    ("deleted", "opportunities", FEBRUARY, {"deleted": "1"}),
    ("duplicate", "opportunities", FEBRUARY, {"duplicate": "1"}),
    ("not_new_business", "opportunities", FEBRUARY, {"not_new_business": "1"}),
    ("not_new_business", "pipeline", FEBRUARY, {"not_new_business": "700"}),
    ("", "pipeline", FEBRUARY, {}),
    ("deleted", "pipeline", FEBRUARY, {"deleted": "500"}),
    ("duplicate", "pipeline", FEBRUARY, {"duplicate": "300"}),
    ("amount_change", "pipeline", FEBRUARY, {"amount_change": "240"}),
    ("currency_rate", "pipeline", FEBRUARY, {"currency_rate": "-80"}),
    (
        "amount_change currency_rate", "pipeline", FEBRUARY,
        {"amount_change": "240", "currency_rate": "-100"},
    ),
    ("", "wins", FEBRUARY, {}),
    ("deleted", "wins", FEBRUARY, {"deleted": "1"}),
    ("", "bookings", FEBRUARY, {}),
    ("deleted", "bookings", FEBRUARY, {"deleted": "50"}),
    ("different_date", "bookings", FEBRUARY, {"different_date": "100"}),
    ("currency_rate", "bookings", MARCH, {"currency_rate": "50"}),
    ("", "spend", FEBRUARY, {}),
    ("credit", "spend", FEBRUARY, {"credit": "35"}),
    ("overhead", "spend", FEBRUARY, {"overhead": "-50"}),
    ("restatement", "spend", FEBRUARY, {"restatement": "-20"}),
    ("currency_rate", "spend", FEBRUARY, {"currency_rate": "1"}),
    (
        "credit overhead restatement currency_rate", "spend", FEBRUARY,
        {"currency_rate": "1", "credit": "35", "overhead": "-50", "restatement": "-20"},
    ),
]  # fmt: skip
#: What the books have; minor units of dollars for money.
BOOKS = {
    ("leads", FEBRUARY): 11, ("mqls", FEBRUARY): 7, ("accepted_leads", FEBRUARY): 3,
    ("sqls", FEBRUARY): 0, ("opportunities", FEBRUARY): 2, ("pipeline", FEBRUARY): 126000,
    ("wins", FEBRUARY): 1, ("bookings", FEBRUARY): 10000, ("bookings", MARCH): 135000,
    ("spend", FEBRUARY): 14600,
}  # fmt: skip
MONEY = {"pipeline", "bookings", "spend"}
NO_FIGURE = "the books keep no such figure: expected one that adds up over days"


def claim(department: str, metric: str, period: tuple[date, date], value: str, **more: Any) -> Row:
    return {
        "department": department, "metric": metric, "period_start": period[0],
        "period_end": period[1], "scope": "company", "value": value,
        "currency": "USD" if metric in MONEY else None, "as_of": CLAIMED_AT,
    } | more  # fmt: skip


def version(number: int, effective_from: str, **more: Any) -> Row:
    return {
        "version": number, "title": "Plan", "currency": "USD", "sha256": "0" * 64,
        "is_signed": True, "effective_from": effective_from,
    } | more  # fmt: skip


def policy(number: int, **more: Any) -> Row:
    return {
        "version": number, "spend_rate": "spend_date", "pipeline_rate": "plan",
        "won_rate": "close_date",
    } | more  # fmt: skip


LEADS = [
    lead("plain", "2026-02-05"),
    lead("january", "2026-01-20"),
    *(lead(f"late {number}", f"2026-02-2{number}") for number in (5, 6, 7)),
    lead("again", "2026-02-03"),
    lead("skipping", "2026-02-03"),
    lead("low", "2026-02-09", score=10),
    lead("low too", "2026-02-16", score=10),
    lead("low, then accepted", "2026-01-29", score=10),
    lead("test", "2026-02-10", is_test=True),
    lead("low test", "2026-02-10", is_test=True, score=10),
    lead("staff", "2026-02-11", email="x@example.org"),
    lead("merged", "2026-02-04", merged_into="plain"),
    lead("twice", "2026-02-14", _load=1),
    lead("twice", "2026-02-14", _load=2),
    lead("test twice", "2026-02-14", _load=1, is_test=True),
    lead("test twice", "2026-02-14", _load=2, is_test=True),
    lead("midnight", "2026-02-28", created_at="2026-03-01 03:00"),
    lead("organic", "2026-02-08", source="Organic Search", campaign=None),
    lead("merged in december", "2025-12-10", merged_into="plain"),
    lead("merged in march", "2026-03-10", merged_into="plain"),
    lead("not yet there", "2026-04-10", merged_into="plain"),
]
CHANGES = [
    change("plain", "2026-02-06", "Qualified"),
    change("plain", "2026-02-08", "Accepted"),
    change("january", "2026-02-02", "Qualified"),
    change("late 5", "2026-03-03", "Qualified"),
    change("late 6", "2026-03-04", "Qualified"),
    change("late 7", "2026-03-05", "Qualified"),
    change("again", "2026-02-04", "Qualified"),
    change("again", "2026-02-05", "Rejected"),
    change("again", "2026-02-20", "Qualified"),
    change("skipping", "2026-02-07", "Accepted"),
    change("skipping", "2026-02-09", "Qualified"),
    change("low", "2026-02-10", "Qualified"),
    change("low too", "2026-02-17", "Qualified"),
    change("low, then accepted", "2026-01-30", "Qualified"),
    change("low, then accepted", "2026-02-12", "Accepted"),
    change("test", "2026-02-11", "Qualified"),
    change("low test", "2026-02-11", "Qualified"),
    change("staff", "2026-02-12", "Qualified"),
    change("merged", "2026-02-13", "Qualified"),
    change("twice", "2026-02-15", "Qualified"),
    change("test twice", "2026-02-16", "Qualified"),
    {"lead_id": "midnight", "occurred_at": "2026-03-01 03:30", "status": "Qualified"},
]
COMPANY: dict[str, list[Row]] = {
    "campaigns": [{"source": "Google Ads", "campaign": "Brand US", "channel": "paid_search"}],
    "leads": LEADS,
    "lead_events": CHANGES,
    "opportunities": [
        deal("euro", "2026-02-10", "1000", "Won", currency="EUR", close_date="2026-03-05"),
        deal("deleted", "2026-02-11", "500", "Open", is_deleted=True),
        deal("twice", "2026-02-12", "300", "Open", _load=1),
        deal("twice", "2026-02-12", "300", "Open", _load=2),
        deal("closed in january", "2026-01-15", "100", "Won", close_date="2026-01-31"),
        deal("closed in february", "2026-01-20", "200", "Won", close_date="2026-02-27"),
        deal("renewal", "2026-02-16", "700", "Open", kind="Renewal"),
        deal("deleted win", "2026-01-10", "50", "Won", is_deleted=True,
             stage_at="2026-02-21 12:00", close_date="2026-02-21"),
    ],
    "opportunity_events": [
        {"opportunity_id": name, "occurred_at": f"{day} 16:00", "stage": stage, "amount": amount}
        for name, day, stage, amount in [
            ("euro", "2026-02-10", "Open", "800"),
            ("euro", "2026-03-05", "Won", "1000"),
            ("closed in january", "2026-02-20", "Won", "100"),
            ("closed in february", "2026-03-02", "Won", "200"),
        ]
    ],
    "spend": [
        spend("2026-02-10", "100"),
        spend("2026-02-10", "120", loaded_at="2026-03-10 12:00"),
        spend("2026-02-20", "-30", kind="credit"),
        spend("2026-02-01", "50", campaign=None, kind="overhead"),
        spend("2026-02-10", "10", currency="EUR"),
        spend("2026-02-12", "-5"),
    ],
    "fx_rates": [
        {"day": "2026-02-10", "currency": "EUR", "rate": "1.10"},
        {"day": "2026-03-05", "currency": "EUR", "rate": "1.15"},
    ],
    "stage_map": [
        {"feed": "crm", "entity": entity, "raw_status": raw, "stage": stage}
        for entity, raw, stage in [
            ("lead", "Qualified", "mql"), ("lead", "Accepted", "sal"),
            ("lead", "Rejected", "rejected"), ("opportunity", "Open", "opportunity"),
            ("opportunity", "Won", "won"),
        ]
    ],
    "qualified_definition": [
        {"version": "1", "valid_from": "2026-01-01", "min_score": 50, "exclude_test": True}
    ],
    "excluded_domain": [{"version": "1", "domain": "example.org"}],
    "claims": [
        *(claim(f"({reasons})", metric, period, "0") for reasons, metric, period, _ in CASES),
        claim("stated", "leads", FEBRUARY, "13"),
        claim("stated", "spend", FEBRUARY, "145.5"),
        claim("revised", "leads", FEBRUARY, "1", as_of="2026-03-01 12:00"),
        claim("revised", "leads", FEBRUARY, "11"),
        claim("revised", "leads", FEBRUARY, "99", as_of="2026-04-05 12:00"),
        claim("Half a cent", "spend", FEBRUARY, "146.005"),
        claim("versions", "leads", (date(2025, 12, 1), date(2025, 12, 31)), "1"),
        claim("versions", "leads", MARCH, "1"),
        claim("scopes", "leads", FEBRUARY, "10", scope="channel:paid_search"),
        claim("scopes", "leads", FEBRUARY, "1", scope="channel:organic"),
        claim("scopes", "leads", FEBRUARY, "10", scope="campaign:Google Ads / Brand US"),
        claim("scopes", "leads", FEBRUARY, "4", scope="channel:unheard of"),
        claim("unknown", "demo_requests", FEBRUARY, "4"),
        claim("unknown", "rate_mql_sal", FEBRUARY, "0.4"),
        claim("unknown", "spend", FEBRUARY, "146", currency="EUR"),
        claim("unknown", "pipeline", FEBRUARY, "1260", currency=None),
    ],
}  # fmt: skip
PLAN: dict[str, list[Row]] = {
    "plan_version": [
        version(1, "2026-01-01", effective_to="2026-03-01"),
        version(2, "2026-03-01"),
        version(3, "2026-02-01", is_signed=False),
    ],
    "plan_policy": [policy(1), policy(2), policy(3, pipeline_rate="as_of", spend_rate="plan")],
    "plan_rate": [
        {"version": number, "currency": currency, "rate": rate}
        for number in (1, 2, 3)
        for currency, rate in (("USD", "1"), ("EUR", "1.2"))
    ],
    "plan_scope": [
        {"version": 1, "scope": scope, "level": scope.split(":")[0], "member": member,
         "is_stretch": False, "sheet_row": row}
        for row, (scope, member) in enumerate(
            [("company", None), ("channel:organic", "organic")], start=2)
    ],
    "plan_scope_source": [
        {"version": 1, "scope": "channel:organic", "source": "organic search"},
    ],
    "plan_counting": [
        *(
            {"version": number, "department": f"({reasons})", "metric": metric, "reason": reason}
            for reasons, metric, _, _ in CASES
            for reason in reasons.split()
            for number in (1, 2)
        ),
        {"version": 1, "department": "versions", "metric": "leads", "reason": "merged"},
        *({"version": 3, "department": department, "metric": "leads", "reason": "merged"}
          for department in ("revised", "stated")),
    ],
    "plan_explanation": [
        {"number": number, "department": "stated", "metric": metric,
         "period_start_date": FEBRUARY[0], "period_end_date": date(2026, 3, 1),
         "scope": "company", "reason": "not_synced", "value": value, "note": note,
         "explained_by": "rita", "explained_at": CLAIMED_AT}
        for number, metric, value, note in [
            (1, "leads", "3", "the webinar list"), (2, "leads", "-1", "one came back"),
            (3, "spend", "-0.5", "a late invoice"), (4, "mqls", "9", "nobody claims this"),
        ]
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    books = Warehouse(tmp_path_factory.mktemp("claims"))
    books.build(COMPANY | PLAN, *MODELS)
    return books


def bridge(
    warehouse: Warehouse, department: str, metric: str, period: tuple[date, date] = FEBRUARY,
    scope: str = "company",
) -> list[Row]:  # fmt: skip
    """The lines of one claim, in order."""
    return warehouse.rows(
        "select line, reason, origin, note, value, value_minor, records, line_number"
        f" from rpt_claims_bridge__period where department = '{department}'"
        f" and metric = '{metric}' and period_start_date = '{period[0]}' and scope = '{scope}'"
        " order by line_number"
    )


def figures(lines: list[Row]) -> list[tuple[str, Decimal]]:
    return [(line["line"], line["value"]) for line in lines]


@pytest.mark.parametrize(
    ("reasons", "metric", "period", "expected"),
    CASES,
    ids=[f"{metric}: {reasons or 'as the books'}" for reasons, metric, _, _ in CASES],
)
def test_every_declared_reason_is_computed(
    warehouse: Warehouse, reasons: str, metric: str, period: tuple[date, date],
    expected: dict[str, str],
) -> None:  # fmt: skip
    books = Decimal(BOOKS[metric, period]) / (100 if metric in MONEY else 1)
    explained = sum(Decimal(value) for value in expected.values())
    assert figures(bridge(warehouse, f"({reasons})", metric, period)) == [
        ("claim", 0),
        *((reason, Decimal(value)) for reason, value in expected.items()),
        ("unexplained", 0 - explained - books),
        ("books", books),
    ]


def test_lines_add_up_exactly(warehouse: Warehouse) -> None:
    """Of every claim, in both columns; and each line to the records behind it."""
    for column in ("value", "value_minor"):
        assert warehouse.rows(
            f"""
            select department, metric
            from rpt_claims_bridge__period
            group by department, metric, period_start_date, scope
            having sum(case line when 'claim' then {column} else -{column} end)
                <> 0
            """
        ) == []  # fmt: skip
    assert warehouse.rows(
        """
        with lines as (
            select department, metric, period_start_date, scope, reason, value, value_minor, records
            from rpt_claims_bridge__period where origin = 'computed' and reason is not null
        ),
        sums as (
            select department, metric, period_start_date, scope, reason, sum(value) as value,
                sum(value_minor) as value_minor, count(*) as records
            from rpt_claims_bridge__record group by all
        )
        (from lines except from sums) union all (from sums except from lines)
        """
    ) == []  # fmt: skip


def test_the_records_behind_a_line_are_named(warehouse: Warehouse) -> None:
    def records(department: str, metric: str) -> list[tuple[str, str, Decimal]]:
        rows = warehouse.rows(
            "select entity, record_id, value from rpt_claims_bridge__record where"
            f" department = '({department})' and metric = '{metric}' order by record_id"
        )
        return [(row["entity"], row["record_id"], row["value"]) for row in rows]

    assert records("below_definition", "mqls") == [
        ("lead", "low", 1), ("lead", "low too", 1), ("lead", "low, then accepted", -1),
    ]  # fmt: skip
    assert records("duplicate", "mqls") == [("lead", "twice (crm, load 1, line 16)", 1)]
    assert records("different_date", "bookings") == [
        ("opportunity", "closed in february", 200), ("opportunity", "closed in january", -100),
    ]  # fmt: skip
    assert records("restatement", "spend") == [
        ("spend", "crm|spend.csv|Google Ads|(default)|Google Ads / Brand US|2026-02-10|USD|media",
         -20),
    ]  # fmt: skip


def test_what_people_state_is_a_line_with_their_name(warehouse: Warehouse) -> None:
    lines = bridge(warehouse, "stated", "leads")
    assert figures(lines) == [
        ("claim", 13), ("not_synced", 3), ("not_synced", -1), ("unexplained", 0), ("books", 11),
    ]  # fmt: skip
    assert [line["origin"] for line in lines[:3]] == ["claimed", "stated", "stated"]
    assert [line["note"] for line in lines[1:3]] == [
        "the webinar list (rita)", "one came back (rita)",
    ]  # fmt: skip
    assert figures(bridge(warehouse, "stated", "spend")) == [
        ("claim", Decimal("145.5")), ("not_synced", Decimal("-0.5")), ("unexplained", 0),
        ("books", 146),
    ]  # fmt: skip


def test_the_latest_claim_known_at_as_of_counts(warehouse: Warehouse) -> None:
    assert figures(bridge(warehouse, "revised", "leads")) == [
        ("claim", 11), ("unexplained", 0), ("books", 11),
    ]  # fmt: skip


def test_a_claim_from_after_as_of_is_told_apart(warehouse: Warehouse) -> None:
    """A run of an earlier day has claims that nobody had made yet."""
    rows = warehouse.rows(
        "select value, is_known, is_as_published from audit_claim where department = 'revised'"
        " order by value"
    )
    assert [tuple(row.values()) for row in rows] == [(11, True, True), (99, False, False)]


def test_a_claim_in_parts_of_a_cent_is_rounded_to_one(warehouse: Warehouse) -> None:
    assert figures(bridge(warehouse, "half a cent", "spend")) == [
        ("claim", Decimal("146.01")), ("unexplained", Decimal("0.01")), ("books", 146),
    ]  # fmt: skip


def test_a_period_is_counted_by_the_version_in_force_on_its_first_day(warehouse: Warehouse) -> None:
    """Before the first version by the first; a version that nobody signed is none."""
    december = (date(2025, 12, 1), date(2025, 12, 31))
    assert ("merged", 1) in figures(bridge(warehouse, "versions", "leads", december))
    assert figures(bridge(warehouse, "versions", "leads", MARCH)) == [
        ("claim", 1), ("unexplained", 1), ("books", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "books"),
    [("channel:paid_search", 10), ("campaign:Google Ads / Brand US", 10), ("channel:organic", 1),
     ("channel:unheard of", 0)],
)  # fmt: skip
def test_a_scope_has_its_campaigns(warehouse: Warehouse, scope: str, books: int) -> None:
    assert figures(bridge(warehouse, "scopes", "leads", scope=scope))[-1] == ("books", books)


@pytest.mark.parametrize(
    ("metric", "value", "problem"),
    [
        ("demo_requests", "4", NO_FIGURE),
        ("rate_mql_sal", "0.4", NO_FIGURE),
        ("spend", "146", "claimed in another currency than the books are kept in"),
        ("pipeline", "1260", "a claim of money without a currency"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_unexplained(
    warehouse: Warehouse, metric: str, value: str, problem: str
) -> None:
    lines = bridge(warehouse, "unknown", metric)
    assert figures(lines) == [
        ("claim", Decimal(value)), ("unexplained", Decimal(value)), ("books", None),
    ]  # fmt: skip
    assert lines[1]["note"] == problem


def test_the_books_are_those_that_plans_are_compared_with(warehouse: Warehouse) -> None:
    """One definition of every figure: that of the KPI's actuals."""
    rows = warehouse.rows(
        """
        with actuals as (
            select case metric when 'sals' then 'accepted_leads' when 'budget' then 'spend'
                else metric end as metric, day, numerator
            from int_kpi__daily
        ),
        books as (
            select distinct metric, period_start_date, period_end_date, coalesce(value_minor, value)
                as books
            from rpt_claims_bridge__period
            where line = 'books' and scope = 'company' and value is not null
                and period_start_date >= '2026-01-01'
        )
        select books.metric, period_start_date, books, coalesce(sum(numerator), 0) as actual
        from books left join actuals on books.metric = actuals.metric
            and day >= period_start_date and day < period_end_date
        group by all order by all
        """
    )
    assert {(row["metric"], row["period_start_date"]): row["books"] for row in rows} == {
        **{(metric, period[0]): value for (metric, period), value in BOOKS.items()},
        ("leads", MARCH[0]): 0,
    }
    assert [row for row in rows if row["books"] != row["actual"]] == []


def test_the_handoff_has_every_mql_in_one_line(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select line, reason, leads from rpt_handoff_bridge__period where scope = 'company'"
        " and period_start_date = '2026-02-01' order by line_number"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("mqls", None, 7), ("not_yet_worked", None, 4), ("accepted", None, 3), ("sals", None, 3),
    ]  # fmt: skip


@contextmanager
def rebuilt(warehouse: Warehouse, tables: dict[str, list[Row]]) -> Iterator[Warehouse]:
    """The warehouse with other inputs; dbt has parsed it already."""
    other = Warehouse(warehouse.root)
    other.build(tables, *MODELS)
    yield other


def test_a_plan_may_count_every_entry(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Then the books have two more MQLs, and a department that counts so differs in nothing."""
    warehouse = Warehouse(tmp_path_factory.mktemp("every"))
    counts = {"plan_stage": [{"version": 1, "stage": "mql", "counts": "every"}]}
    with rebuilt(warehouse, COMPANY | PLAN | counts) as every:
        assert figures(bridge(every, "(repeat_entry)", "mqls")) == [
            ("claim", 0), ("unexplained", -9), ("books", 9),
        ]  # fmt: skip
        assert figures(bridge(every, "()", "accepted_leads"))[-1] == ("books", 3)
        assert every.rows(
            "select metric from audit_claim where metric = 'mqls' and is_as_published"
        ) == []  # fmt: skip
        daily = every.row(
            "select sum(numerator) as mqls from int_kpi__daily where metric = 'mqls'"
            " and day between '2026-02-01' and '2026-02-28'"
        )
        assert daily == {"mqls": 9}


def test_without_a_plan_claims_are_held_against_the_books_as_they_stand(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """And without claims there is nothing."""
    warehouse = Warehouse(tmp_path_factory.mktemp("no plan"))
    with rebuilt(warehouse, COMPANY) as without:
        lines = without.rows(
            "select distinct line from rpt_claims_bridge__period order by line"
        )  # fmt: skip
        assert [row["line"] for row in lines] == ["books", "claim", "unexplained"]
        # Without a plan there is no rate of it either: the day's.
        assert figures(bridge(without, "()", "pipeline"))[-1] == ("books", 1180)
    with rebuilt(warehouse, {name: [] for name in COMPANY}) as empty:
        for table in (
            "rpt_claims_bridge__period", "rpt_claims_bridge__record", "rpt_handoff_bridge__period",
            "audit_claim",
        ):  # fmt: skip
            assert empty.row(f"select count(*) as rows from {table}") == {"rows": 0}


#: Companies whose departments count in ways that differ from the books, each in its own way.
SAMPLES = {
    "healthy": CompanySpec(seed=3, leads=800),
    "mirage": CompanySpec.for_scenario("mirage", leads=900),
    "quality trap": CompanySpec.for_scenario("quality-trap", leads=900, seed=5),
    "books in euros": CompanySpec(seed=7, leads=600, currencies=("EUR", "USD")),
    "a day that is 25 hours long": CompanySpec(
        seed=9, leads=600, as_of=datetime(2026, 12, 5, 12, tzinfo=UTC)
    ),
}


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """One warehouse for all samples: dbt parses once."""
    return Warehouse(tmp_path_factory.mktemp("samples"))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_is_reconciled_to_the_last_record(
    name: str, sampled: Warehouse, tmp_path: Path
) -> None:
    """With the ways of counting that its plan declares, and with no explanation by anybody."""
    spec = SAMPLES[name]
    truth = generate(spec, tmp_path / "company", with_truth=False)
    home = Home(tmp_path / "home")
    land(home, load_sources(truth.sources), spec.as_of)
    sampled.inputs.unlink(missing_ok=True)
    sampled.inputs.symlink_to(home.inputs)
    build(sampled.database, sampled.inputs, [*MODELS, "--exclude", "test_type:data"])
    lines = sampled.rows("select * from rpt_claims_bridge__period")
    assert len([line for line in lines if line["line"] == "claim"]) >= 24
    assert [line for line in lines if line["line"] == "unexplained" and line["value"] != 0] == []
    assert {line["origin"] for line in lines} == {"claimed", "computed"}
    if name == "mirage":
        quarter = sampled.rows(
            "select line, sum(leads) as leads from rpt_handoff_bridge__period"
            " where period_end_date > period_start_date + 40 and scope = 'company'"
            " group by line"
        )
        leads = {row["line"]: row["leads"] for row in quarter}
        assert (leads.pop("mqls"), leads.pop("sals"), leads["accepted"]) == (500, 40, 40)
        assert sum(leads.values()) == 500
