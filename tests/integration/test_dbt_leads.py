"""Leads, opportunities and campaigns, from landed rows to published tables, on one small company.

Rules with a branch have a dbt unit test beside their model; here is what only a whole build shows.
"""

from __future__ import annotations

from datetime import date, datetime
from hashlib import sha256
from typing import Any

import pytest

from tests.integration.dbt_fixture import Warehouse


def stage_map(entity: str, **stages: str) -> list[dict[str, str]]:
    return [
        {"feed": "crm", "entity": entity, "raw_status": raw.replace("_", " "), "stage": stage}
        for raw, stage in stages.items()
    ]


def lead(lead_id: str, **columns: Any) -> dict[str, Any]:
    usual = {"created_at": "2026-01-05 15:00", "source": "Google Ads", "campaign": "Brand US"}
    return {"lead_id": lead_id, "score": 80} | usual | columns


def change(lead_id: str, day: str, status: str, **columns: Any) -> dict[str, Any]:
    return {"lead_id": lead_id, "occurred_at": f"{day} 12:00", "status": status} | columns


COMPANY: dict[str, list[dict[str, Any]]] = {
    "campaigns": [{"source": "Google Ads", "campaign": "Brand US", "channel": "paid_search"}],
    "spend": [
        {
            "source": "google ads",
            "campaign": "brand-us",
            "day": "2026-01-03",
            "currency": "USD",
            "cost": "100",
        },
        {
            "source": "Google Ads",
            "day": "2026-01-03",
            "currency": "USD",
            "cost": "7",
            "kind": " Overhead ",
        },
    ],
    "leads": [
        lead("plain", email="Jo@Example.com "),
        lead("utm", campaign=None, utm_campaign="BRAND%20US"),
        lead("no campaign", campaign=None),
        lead("no source", source=None, campaign=None),
        lead("unknown campaign", campaign="Nobody knows"),
        lead("survivor"),
        lead("merged", merged_into="survivor"),
        lead("again", _load=1, score=1),
        lead("again", _load=2, score=2),
        lead("test", is_test=True),
        lead("staff", email="x@example.org"),
        lead("low score", score=10),
        lead("late evening", created_at="2026-02-01 03:00"),
        lead("converted", converted_opportunity_id="deal"),
        lead("deleted deal", converted_opportunity_id="deleted"),
        lead("status only", status="Accepted"),
    ],
    "lead_events": [
        change("plain", "2026-01-06", "Qualified"),
        change("plain", "2026-01-07", "Rejected", reason="no budget"),
        change("plain", "2026-01-08", "Qualified"),
        change("merged", "2026-01-06", "Qualified"),
        change("low score", "2026-01-06", "Qualified"),
        change("converted", "2026-01-06", "Qualified"),
        change("converted", "2026-02-02", "Rejected"),
        change("deleted deal", "2026-01-06", "Qualified"),
        change("survivor", "2026-01-06", "What is this"),
    ],
    "opportunities": [
        {
            "opportunity_id": "deal",
            "created_at": "2026-02-01",
            "amount": "1000",
            "currency": "USD",
            "stage": "Won",
        },
        {
            "opportunity_id": "deleted",
            "created_at": "2026-02-01",
            "amount": "5",
            "currency": "USD",
            "stage": "Won",
            "is_deleted": True,
        },
    ],
    "opportunity_events": [
        {
            "opportunity_id": deal,
            "occurred_at": f"{day} 12:00",
            "stage": stage,
            "amount": amount,
        }
        for deal, day, stage, amount in [
            ("deal", "2026-02-01", "Open", "800"),
            ("deal", "2026-03-01", "Won", "1000"),
            ("deleted", "2026-02-01", "Open", "5"),
        ]
    ],
    "stage_map": [
        *stage_map("lead", New="lead", Qualified="mql", Accepted="sal", Rejected="rejected"),
        *stage_map("opportunity", Open="opportunity", Won="won"),
    ],
    "qualified_definition": [
        {"version": "1", "valid_from": "2026-01-01", "min_score": 50, "exclude_test": True}
    ],
    "excluded_domain": [{"version": "1", "domain": "example.org"}],
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    books = Warehouse(tmp_path_factory.mktemp("leads"))
    books.build(COMPANY)
    return books


def stages_of(warehouse: Warehouse, lead_id: str) -> list[tuple[str, str]]:
    """Stages with the day they were entered, in order."""
    rows = warehouse.rows(
        "select stage, entered_at::date::varchar as day from fct_lead_stage__interval"
        f" where lead_id = '{lead_id}' order by entry_number"
    )
    return [(row["stage"], row["day"]) for row in rows]


def test_every_rule_holds_alone(warehouse: Warehouse) -> None:
    results = warehouse.dbt("test", "--select", "test_type:unit")
    assert len(results.results) > 10


def test_every_landed_row_has_one_standing(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select lead_id, disposition, reason, survivor_lead_id from int_lead__disposition"
        " where disposition <> 'kept' order by lead_id"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("again", "merged", "same id loaded again", "again"),
        ("merged", "merged", "merged into another lead", "survivor"),
        ("staff", "excluded", "excluded e-mail domain", None),
        ("test", "excluded", "test record", None),
    ]
    counts = warehouse.row(
        "select count(*) as landed, count(distinct (feed, _load, _line)) as standing"
        " from int_lead__disposition"
    )
    assert counts == {"landed": len(COMPANY["leads"]), "standing": len(COMPANY["leads"])}
    assert warehouse.row("select score from fct_lead where lead_id = 'again'") == {"score": 2}


@pytest.mark.parametrize(
    ("lead_id", "campaign_key"),
    [
        ("plain", "Google Ads / Brand US"),
        ("utm", "Google Ads / Brand US"),
        ("no campaign", "Google Ads / (no campaign)"),
        ("no source", "(unknown) / (no campaign)"),
        ("unknown campaign", "Google Ads / Nobody knows"),
    ],
)
def test_lead_finds_its_campaign(warehouse: Warehouse, lead_id: str, campaign_key: str) -> None:
    found = warehouse.row(f"select campaign_key from fct_lead where lead_id = '{lead_id}'")
    assert found == {"campaign_key": campaign_key}


def test_campaigns_are_listed_with_their_buckets(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select campaign_key, kind, channel, is_declared, has_spend from dim_campaign order by 1"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("(unknown) / (no campaign)", "no_campaign", None, False, False),
        ("Google Ads / (no campaign)", "no_campaign", None, False, False),
        ("Google Ads / (overhead)", "overhead", None, False, True),
        ("Google Ads / Brand US", "campaign", "paid_search", True, True),
        ("Google Ads / Nobody knows", "campaign", None, False, False),
    ]


def test_only_what_nobody_knows_is_unmapped(warehouse: Warehouse) -> None:
    rows = warehouse.rows("select campaign_key from int_campaign__match where not is_mapped")
    assert rows == [{"campaign_key": "Google Ads / Nobody knows"}]


def test_lead_moves_back_and_forth(warehouse: Warehouse) -> None:
    assert stages_of(warehouse, "plain") == [
        ("lead", "2026-01-05"),
        ("mql", "2026-01-06"),
        ("rejected", "2026-01-07"),
        ("mql", "2026-01-08"),
    ]
    found = warehouse.row(
        "select stage, mql_entries, rejection_reason, first_mql_at, latest_mql_at, first_sal_at"
        " from fct_lead where lead_id = 'plain'"
    )
    assert found == {
        "stage": "mql",
        "mql_entries": 2,
        "rejection_reason": "no budget",
        "first_mql_at": datetime(2026, 1, 6, 12),
        "latest_mql_at": datetime(2026, 1, 8, 12),
        "first_sal_at": None,
    }


def test_opportunity_takes_over_and_a_deleted_one_does_not(warehouse: Warehouse) -> None:
    assert stages_of(warehouse, "converted") == [
        ("lead", "2026-01-05"),
        ("mql", "2026-01-06"),
        ("opportunity", "2026-02-01"),
        ("won", "2026-03-01"),
    ]
    assert stages_of(warehouse, "deleted deal") == [("lead", "2026-01-05"), ("mql", "2026-01-06")]
    deals = warehouse.rows(
        "select opportunity_id, stage, is_won, amount_minor, reporting_amount_minor"
        " from fct_opportunity"
    )
    assert [tuple(row.values()) for row in deals] == [("deal", "won", True, 100_000, 100_000)]
    at_entry = warehouse.rows(
        "select stage, amount_minor from fct_opportunity_stage__interval order by entry_number"
    )
    assert [tuple(row.values()) for row in at_entry] == [("opportunity", 80_000), ("won", 100_000)]


def test_refuted_claim_moves_nothing_and_is_named(warehouse: Warehouse) -> None:
    assert stages_of(warehouse, "low score") == [("lead", "2026-01-05")]
    found = warehouse.rows("select lead_id from fct_lead where is_claimed_unqualified")
    assert found == [{"lead_id": "low score"}]


def test_events_of_a_merged_lead_are_not_applied(warehouse: Warehouse) -> None:
    assert stages_of(warehouse, "survivor") == [("lead", "2026-01-05")]
    assert stages_of(warehouse, "merged") == []


def test_status_of_today_stands_in_for_history(warehouse: Warehouse) -> None:
    assert stages_of(warehouse, "status only") == [("lead", "2026-01-05"), ("sal", "2026-03-31")]


def test_day_and_cohort_are_of_the_reporting_zone(warehouse: Warehouse) -> None:
    found = warehouse.row(
        "select created_date, cohort_start_date from fct_lead where lead_id = 'late evening'"
    )
    assert found == {"created_date": date(2026, 1, 31), "cohort_start_date": date(2026, 1, 1)}


def test_person_is_a_keyed_hash_and_no_email_is_published(warehouse: Warehouse) -> None:
    def keyed(text: str) -> str:
        return sha256(f"key{text}".encode()).hexdigest()

    found = warehouse.row("select person_key from fct_lead where lead_id = 'plain'")
    assert found == {"person_key": keyed(keyed("jo@example.com"))}
    columns = warehouse.rows(
        "select column_name from information_schema.columns where table_name like 'fct_%'"
        " and column_name in ('email', 'company')"
    )
    assert columns == []


def test_intervals_follow_each_other_without_a_gap(warehouse: Warehouse) -> None:
    broken = warehouse.rows("""
        select earlier.lead_id
        from fct_lead_stage__interval as earlier
        full outer join fct_lead_stage__interval as later
            on earlier.lead_id = later.lead_id and earlier.entry_number + 1 = later.entry_number
        where
            (later.lead_id is null and earlier.left_at is not null)
            or (later.lead_id is not null and earlier.lead_id is null and later.entry_number > 1)
            or (earlier.lead_id is not null and later.lead_id is not null and (
                earlier.left_at is distinct from later.entered_at
                or earlier.stage is distinct from later.from_stage
                or earlier.stage = later.stage
                or earlier.left_at < earlier.entered_at
            ))
    """)
    assert broken == []
