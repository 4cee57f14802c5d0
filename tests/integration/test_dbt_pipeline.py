"""The pipeline journal and its waterfall on one small company, with figures worked out by hand.

No plan: what is open is worth today's rate, and was carried at that of the day it was opened. Rules
with a branch have a dbt unit test beside their model; here is what only a whole build shows.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from expectations.laws import load_laws
from tests.integration.dbt_fixture import Warehouse

STAGES = {
    "Open": "opportunity",
    "Proposal": "proposal",
    "Won": "won",
    "Lost": "lost",
    "Parked": "recycled",
}


def deal(opportunity_id: str, **columns: Any) -> dict[str, Any]:
    usual = {
        "created_at": "2026-01-06 15:00",
        "source": "Ads",
        "campaign": "A",
        "currency": "USD",
        "owner": "ann",
        "product": "Core",
        "stage": "Open",
    }
    return {"opportunity_id": opportunity_id} | usual | columns


def event(
    opportunity_id: str, occurred_at: str, stage: str, amount: str | None = None, **columns: Any
) -> dict[str, Any]:
    own = {"opportunity_id": opportunity_id, "occurred_at": occurred_at, "stage": stage}
    return own | {"amount": amount} | columns


COMPANY: dict[str, list[dict[str, Any]]] = {
    "campaigns": [{"source": "Ads", "campaign": name} for name in ("A", "B")],
    "stage_map": [
        {"feed": "crm", "entity": "opportunity", "raw_status": raw, "stage": stage}
        for raw, stage in STAGES.items()
    ],
    "fx_rates": [
        {"day": day, "currency": currency, "rate": rate}
        for day, currency, rate in [
            ("2026-01-05", "EUR", "1.10"), ("2026-02-10", "EUR", "1.20"),
            ("2026-03-30", "EUR", "1.25"), ("2026-01-05", "JPY", "0.007"),
            ("2026-03-30", "JPY", "0.0065"), ("2026-01-05", "KWD", "3.25"),
            ("2026-03-30", "KWD", "3.30"), ("2026-03-30", "GBP", "1.30"),
        ]
    ],
    "opportunities": [
        deal("grown", amount="1100", close_date="2026-02-10", stage="Won"),
        deal("reopened", amount="600", campaign="B"),
        deal("cloned", amount="500", created_at="2026-01-12 15:00", campaign="B"),
        deal("parked", amount="70", stage="Parked"),
        deal("euro", amount="1000", currency="EUR", close_date="2026-02-12", stage="Won"),
        deal("yen", amount="100001", currency="JPY"),
        deal("dinar", amount="10.005", currency="KWD", close_date="2026-03-30", stage="Won"),
        deal("switched", amount="80", currency="EUR"),
        deal("handed over", amount="300", owner="bob", product=None),
        deal("without", amount=None),
        deal("late amount", amount="250", stage="Lost"),
        deal("edited", amount="450", stage="Proposal", close_date="2026-05-01"),
        deal("corrected", amount="120", stage="Won", close_date="2026-02-10"),
        deal("no rate then", amount="10", currency="GBP"),
        deal("unknown stage", amount="5", stage="What is this"),
        deal("before clocks change", amount="1", created_at="2026-03-08 04:30"),
        deal("after clocks change", amount="1", created_at="2026-03-09 04:30"),
        deal("renewed", amount="40", kind="Renewal "),
    ],
    "opportunity_events": [
        event("grown", "2026-01-06 15:00", "Open", "1000", close_date="2026-03-20"),
        event("grown", "2026-01-10 15:00", "Proposal", "1200", close_date="2026-04-15"),
        event("grown", "2026-01-20 15:00", "Open", "1100", close_date="2026-03-25"),
        event("grown", "2026-02-10 15:00", "Won", None, close_date="2026-02-10"),
        event("reopened", "2026-01-06 15:00", "Open", "500"),
        event("reopened", "2026-01-08 15:00", "Lost", "500"),
        event("reopened", "2026-02-01 15:00", "Open", "600"),
        event("parked", "2026-01-06 15:00", "Open", "70"),
        event("parked", "2026-02-03 15:00", "Parked"),
        event("euro", "2026-01-06 15:00", "Open", "1000"),
        event("euro", "2026-02-11 15:00", "Won"),
        event("dinar", "2026-01-06 15:00", "Open", "10.005"),
        event("dinar", "2026-03-31 15:00", "Won"),
        event("switched", "2026-01-06 15:00", "Open", "100", currency="USD"),
        event("switched", "2026-01-09 15:00", "Open", "80", currency="EUR"),
        event("handed over", "2026-01-06 15:00", "Open", "200", owner="ann"),
        event("handed over", "2026-02-02 15:00", "Proposal", "300", owner="bob"),
        event("without", "2026-01-06 15:00", "Open"),
        event("without", "2026-01-15 15:00", "Proposal"),
        event("late amount", "2026-01-06 15:00", "Open"),
        event("late amount", "2026-01-15 15:00", "What is this", "250"),
        event("late amount", "2026-01-20 15:00", "Lost"),
        event("edited", "2026-01-06 15:00", "Open", "400", close_date="2026-02-20"),
        event("edited", "2026-02-03 15:00", "Proposal", "400", close_date="2026-02-20"),
        event("corrected", "2026-01-06 15:00", "Open", "100"),
        event("corrected", "2026-02-10 15:00", "Won", "100", close_date="2026-02-10"),
        event("corrected", "2026-03-03 15:00", "Won", "120"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    books = Warehouse(tmp_path_factory.mktemp("pipeline"))
    books.build(COMPANY)
    return books


def entries(warehouse: Warehouse, opportunity_id: str) -> list[tuple[Any, ...]]:
    """Day (of 2026), kind, change in own and reporting minor units, what moved, deals."""
    rows = warehouse.rows(
        "select strftime(posted_date, '%m-%d') as day, kind, amount_minor, reporting_amount_minor,"
        " moved_minor, deals from fct_pipeline_journal__entry"
        f" where opportunity_id = '{opportunity_id}' order by posting_number"
    )
    return [tuple(row.values()) for row in rows]


EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    "grown": [
        ("01-06", "created", 100000, 100000, None, 1),
        ("01-10", "pushed_out", 0, 0, 100000, 0),
        ("01-10", "increased", 20000, 20000, None, 0),
        ("01-10", "advanced", 0, 0, 120000, 0),
        ("01-20", "pulled_in", 0, 0, 120000, 0),
        ("01-20", "decreased", -10000, -10000, None, 0),
        ("01-20", "regressed", 0, 0, 110000, 0),
        ("02-10", "pulled_in", 0, 0, 110000, 0),
        ("02-10", "won", -110000, -110000, None, -1),
    ],
    "reopened": [
        ("01-06", "created", 50000, 50000, None, 1),
        ("01-08", "lost", -50000, -50000, None, -1),
        ("02-01", "reopened", 60000, 60000, None, 1),
    ],
    "cloned": [("01-12", "created", 50000, 50000, None, 1)],
    # An exit from which deals come back is no open pipeline either.
    "parked": [
        ("01-06", "created", 7000, 7000, None, 1),
        ("02-03", "lost", -7000, -7000, None, -1),
    ],
    # 1,000 EUR at 1.10, won at the 1.20 of its close date.
    "euro": [
        ("01-06", "created", 100000, 110000, None, 1),
        ("02-11", "revalued", 0, 10000, None, 0),
        ("02-11", "won", -100000, -120000, None, -1),
    ],
    # 100,001 JPY: 700.007 USD at 0.007, 650.0065 at today's 0.0065.
    "yen": [
        ("01-06", "created", 100001, 70001, None, 1),
        ("03-31", "revalued", 0, -5000, None, 0),
    ],
    # 10.005 KWD: 32.51625 USD at 3.25, 33.0165 at 3.30.
    "dinar": [
        ("01-06", "created", 10005, 3252, None, 1),
        ("03-31", "revalued", 0, 50, None, 0),
        ("03-31", "won", -10005, -3302, None, -1),
    ],
    # 100 USD become 80 EUR: 88 USD at the rate of the day it was opened, 100 USD today.
    "switched": [
        ("01-06", "created", 10000, 10000, None, 1),
        ("01-09", "decreased", -10000, -10000, None, 0),
        ("01-09", "increased", 8000, 8800, None, 0),
        ("03-31", "revalued", 0, 1200, None, 0),
    ],
    "handed over": [
        ("01-06", "created", 20000, 20000, None, 1),
        ("02-02", "reassigned", 0, 0, 20000, 0),
        ("02-02", "increased", 10000, 10000, None, 0),
        ("02-02", "advanced", 0, 0, 30000, 0),
    ],
    "without": [
        ("01-06", "created", None, None, None, 1),
        ("01-15", "advanced", 0, 0, None, 0),
    ],
    "late amount": [
        ("01-06", "created", None, None, None, 1),
        ("01-15", "increased", 25000, 25000, None, 0),
        ("01-20", "lost", -25000, -25000, None, -1),
    ],
    # Somebody changed amount and close date without an event: dated at the last one.
    "edited": [
        ("01-06", "created", 40000, 40000, None, 1),
        ("02-03", "pushed_out", 0, 0, 40000, 0),
        ("02-03", "increased", 5000, 5000, None, 0),
        ("02-03", "advanced", 0, 0, 45000, 0),
    ],
    # What is corrected after it was won goes in and out at once.
    "corrected": [
        ("01-06", "created", 10000, 10000, None, 1),
        ("02-10", "won", -10000, -10000, None, -1),
        ("03-03", "increased", 2000, 2000, None, 0),
        ("03-03", "won", -2000, -2000, None, 0),
    ],
    # Nobody knows what a pound was worth in January.
    "no rate then": [
        ("01-06", "created", 1000, None, None, 1),
        ("03-31", "revalued", 0, 1300, None, 0),
    ],
    "unknown stage": [("01-06", "created", 500, 500, None, 1)],
    # Half past eleven at night on the 7th; half past midnight, clocks changed, on the 9th.
    "before clocks change": [("03-07", "created", 100, 100, None, 1)],
    "after clocks change": [("03-09", "created", 100, 100, None, 1)],
    "renewed": [("01-06", "created", 4000, 4000, None, 1)],
}


def test_every_deal_is_looked_at() -> None:
    assert set(EXPECTED) == {row["opportunity_id"] for row in COMPANY["opportunities"]}


@pytest.mark.parametrize("opportunity_id", EXPECTED)
def test_a_deal_is_posted_as_worked_out_by_hand(warehouse: Warehouse, opportunity_id: str) -> None:
    assert entries(warehouse, opportunity_id) == EXPECTED[opportunity_id]


PERIOD = "from rpt_pipeline_waterfall__period where period_kind"


def test_january_adds_up(warehouse: Warehouse) -> None:
    """To the cent: what the deals of January came with, and what became of it."""
    found = warehouse.row(f"select * {PERIOD} = 'month' and period_start_date = '2026-01-01'"
                          " and scope_kind = 'company'")  # fmt: skip
    money = {name[:-6]: value for name, value in found.items() if name.endswith("_minor")}
    assert money == {
        "opening": 0,
        # grown, reopened, cloned, parked, euro, yen, dinar, switched, handed over, edited,
        # corrected, unknown stage, renewed; without and late amount came with nothing, and what no
        # rate then was worth nobody knows.
        "created": 100000 + 50000 + 50000 + 7000 + 110000 + 70001 + 3252 + 10000 + 20000 + 40000
        + 10000 + 500 + 4000,
        # grown, late amount, switched.
        "increased": 20000 + 25000 + 8800,
        "decreased": -10000 - 10000,
        "reassigned": 0,
        "revalued": 0,
        "won": 0,
        # reopened, late amount.
        "lost": -50000 - 25000,
        "reopened": 0,
        "closing": 433553,
        "advanced_moved": 120000,
        "regressed_moved": 110000,
        "pulled_in_moved": 120000,
        "pushed_out_moved": 100000,
    }  # fmt: skip
    deals = {name: value for name, value in found.items() if "deals" in name}
    assert deals == {
        "opening_deals": 0, "created_deals": 16, "reassigned_deals": 0, "won_deals": 0,
        "lost_deals": -2, "reopened_deals": 0, "closing_deals": 14, "advanced_deals": 2,
        "regressed_deals": 1, "pulled_in_deals": 1, "pushed_out_deals": 1,
        "opening_deals_without_amount": 0, "won_deals_without_amount": 0,
        "closing_deals_without_amount": 2,
    }  # fmt: skip
    assert found["is_provisional"] is False


def test_the_last_closing_is_what_is_open(warehouse: Warehouse) -> None:
    open_now = warehouse.row(
        "select sum(reporting_amount_minor)::bigint as money, count(*) as deals,"
        " count(*) filter (where reporting_amount_minor is null) as without_amount"
        " from fct_opportunity where is_open"
    )
    # reopened, cloned, yen, switched, handed over, edited, no rate then, unknown stage, the two of
    # March, renewed; without has none.
    assert open_now["money"] == (
        60000 + 50000 + 65001 + 10000 + 30000 + 45000 + 1300 + 500 + 200 + 4000
    )
    assert (open_now["deals"], open_now["without_amount"]) == (12, 1)
    for kind, start in [
        ("day", "2026-03-31"), ("week", "2026-03-30"), ("month", "2026-03-01"),
        ("quarter", "2026-01-01"),
    ]:  # fmt: skip
        found = warehouse.row(
            "select closing_minor as money, closing_deals as deals, closing_deals_without_amount"
            f" as without_amount, is_provisional {PERIOD} = '{kind}'"
            f" and period_start_date = '{start}' and scope_kind = 'company'"
        )
        assert found == open_now | {"is_provisional": True}


def test_an_owner_hands_over_what_another_takes(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select scope, opening_minor, reassigned_minor, increased_minor, closing_minor,"
        f" opening_deals, reassigned_deals, closing_deals {PERIOD} = 'day'"
        " and period_start_date = '2026-02-02' and scope_kind = 'owner' order by scope"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("ann", 493553, -20000, 0, 473553, 15, -1, 14),
        ("bob", 0, 20000, 10000, 30000, 0, 1, 1),
    ]


def test_campaigns_and_segments_have_their_own(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        f"select scope, closing_minor, closing_deals {PERIOD} = 'quarter'"
        " and scope_kind in ('campaign', 'segment') order by scope"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("(no segment)", 30000, 1),
        ("Ads / A", 266001 - 110000, 10),
        ("Ads / B", 110000, 2),
        ("Core", 266001 - 30000, 11),
    ]


def test_what_is_no_new_business_says_so(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select opportunity_id, kind from fct_opportunity where not is_new_business"
    )
    assert rows == [{"opportunity_id": "renewed", "kind": "renewal"}]


def test_then_and_today_stand_beside_each_other(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select opportunity_id, opened_currency, opened_amount_minor,"
        " opened_reporting_amount_minor, amount_minor, reporting_amount_minor"
        " from fct_opportunity where opportunity_id in ('dinar', 'grown', 'switched', 'without')"
        " order by opportunity_id"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("dinar", "KWD", 10005, 3252, 10005, 3302),
        ("grown", "USD", 100000, 100000, 110000, 110000),
        ("switched", "USD", 10000, 10000, 8000, 10000),
        ("without", "USD", None, None, None, None),
    ]
    stages = warehouse.rows(
        "select stage, currency, amount_minor, reporting_amount_minor"
        " from fct_opportunity_stage__interval where opportunity_id in ('edited', 'grown', 'euro')"
        " order by opportunity_id, entry_number"
    )
    assert [tuple(row.values()) for row in stages] == [
        ("opportunity", "USD", 40000, 40000),
        ("proposal", "USD", 40000, 40000),
        ("opportunity", "EUR", 100000, 110000),
        ("won", "EUR", 100000, 110000),
        ("opportunity", "USD", 100000, 100000),
        ("proposal", "USD", 120000, 120000),
        ("opportunity", "USD", 110000, 110000),
        ("won", "USD", 110000, 110000),
    ]


def test_slipped_deals_say_how_far(warehouse: Warehouse) -> None:
    rows = warehouse.rows("select * from rpt_pipeline_slipped__opportunity")
    assert [
        (
            row["opportunity_id"], row["status"], row["slipped_days"], row["pushed_out_entries"],
            row["pulled_in_entries"], row["quarter_moves"], row["first_close_date"],
            row["close_date"], row["first_reporting_amount_minor"], row["reporting_amount_minor"],
            row["is_overdue"],
        )
        for row in rows
    ] == [
        (
            "edited", "slipped", 70, 1, 0, 1, date(2026, 2, 20), date(2026, 5, 1), 40000, 45000,
            False,
        )
    ]  # fmt: skip


def test_a_close_date_that_moved_back_crossed_a_quarter_twice(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select kind, crosses_quarter from fct_pipeline_journal__entry"
        " where opportunity_id = 'grown' and from_close_date is not null order by posting_number"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("pushed_out", True),
        ("pulled_in", True),
        ("pulled_in", False),
    ]


def test_only_what_no_event_states_is_estimated(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select opportunity_id, count(*) as entries from fct_pipeline_journal__entry"
        " where is_estimated group by all"
    )
    assert rows == [{"opportunity_id": "edited", "entries": 3}]


def test_the_law_holds(warehouse: Warehouse) -> None:
    law = load_laws()["B4"]
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute("create schema audit; create view audit.run as from main.audit_run")
        assert connection.execute(law.offenders).fetchall() == []
        connection.execute("drop schema audit cascade")
