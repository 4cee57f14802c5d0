"""Detail below its totals, and invoices beside the books: one small company, worked by hand.

Rules with a branch have a dbt unit test beside their model; here is what only a whole build shows.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.dbt_fixture import Warehouse

MODELS = (
    "+fct_spend__ad_daily", "+rpt_spend_reconciliation__account_month", "+audit_row",
    "+audit_unmapped", "+fct_dollar_journal__entry", "+audit_volume_shrunk",
    "--exclude", "test_type:data",
)  # fmt: skip

EARLY, LATE = "2026-01-10 12:00", "2026-01-20 12:00"


def spend(day: str, cost: str, level: str | None = None, **columns: Any) -> dict[str, Any]:
    usual = {"source": "Ads", "account": "1", "campaign": "A", "currency": "USD"}
    return usual | {"day": day, "cost": cost, "level": level} | columns


def ad(day: str, cost: str, name: str, **columns: Any) -> dict[str, Any]:
    return spend(day, cost, "ad", ad_group="g", ad=name, **columns)


def of(load: int, file: str = "spend.csv", feed: str = "crm") -> dict[str, Any]:
    at = EARLY if load == 1 else LATE
    return {"_load": load, "_file": file, "_loaded_at": at, "_feed": feed}


COMPANY: dict[str, list[dict[str, Any]]] = {
    "fx_rates": [{"day": "2026-01-05", "currency": "EUR", "rate": "1.1"}],
    "spend": [
        # The first export, whole: replaced by the second.
        spend("2026-01-05", "9.00", **of(1)),
        ad("2026-01-05", "5.00", "gone", **of(1)),
        ad("2026-01-05", "3.00", "x", **of(1)),
        # The second: a total of ten, and ads of 3.333, 3.333 and 2.5 (one row without a name).
        spend("2026-01-05", "10.00", "campaign", clicks=9, **of(2)),
        ad("2026-01-05", "3.333", "x", clicks=2, **of(2)),
        ad("2026-01-05", "3.333", "y", clicks=3, **of(2)),
        ad("2026-01-05", "2.50", "", clicks=1, **of(2)) | {"ad": None},
        # Detail that exceeds its total; a credit belongs to the same total.
        spend("2026-01-06", "10.00", **of(2)),
        spend("2026-01-06", "-1.00", kind="credit", **of(2)),
        ad("2026-01-06", "9.50", "x", **of(2)),
        # No total of the seventh: its ads are its total.
        ad("2026-01-07", "4.00", "x", **of(2)),
        ad("2026-01-07", "2.00", "y", **of(2)),
        # In euros, the detail out of a file and feed of its own, spelt otherwise.
        spend("2026-01-08", "0.10", currency="EUR", **of(2)),
        ad("2026-01-08", "0.03", "x", currency="EUR", source="ADS", campaign="a",
           **of(2, "ads.csv", "detail")),
        ad("2026-01-08", "0.03", "y", currency="EUR", source="ADS", campaign="a",
           **of(2, "ads.csv", "detail")),
        ad("2026-01-08", "0.03", "z", currency="EUR", source="ADS", campaign="a",
           **of(2, "ads.csv", "detail")),
        # Ad groups between a total and its ads.
        spend("2026-01-09", "8.00", **of(2)),
        spend("2026-01-09", "7.00", "ad_group", ad_group="g", **of(2)),
        ad("2026-01-09", "6.00", "x", **of(2)),
        # A level that is none is taken for a total, and named.
        spend("2026-01-11", "1.00", "keyword", **of(2)),
        # After as_of nothing counts yet, detail neither.
        spend("2026-05-01", "1.00", **of(2)),
        ad("2026-05-01", "1.00", "x", **of(2)),
        # Fees and tools have no campaign.
        spend("2026-01-01", "5.00", kind="overhead", **of(2)) | {"campaign": None},
    ],
    "leads": [
        {"lead_id": "L1", "created_at": "2026-01-09 15:00", "source": "Ads", "campaign": "A"},
        {"lead_id": "L2", "created_at": "2026-01-09 16:00", "source": "Ads", "campaign": "A"},
    ],
    "invoices": [
        {"invoice_id": "i1", "source": "ads", "account": "1", "month": "2026-01-01",
         "currency": "USD", "amount": "35.00"},
        {"invoice_id": "i1", "source": "ads", "account": "1", "month": "2026-01-01",
         "currency": "USD", "amount": "-1.00", "kind": "Credit"},
        {"invoice_id": "i1", "source": "ads", "account": "1", "month": "2026-01-01",
         "currency": "USD", "amount": "4.00", "kind": "fee"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    books = Warehouse(tmp_path_factory.mktemp("residual"))
    books.build(COMPANY, *MODELS)
    return books


def test_a_total_counts_once_and_detail_where_there_is_none(warehouse: Warehouse) -> None:
    rows = warehouse.rows("select * from fct_spend__campaign_daily order by spend_date, kind desc")
    assert [
        (str(row["spend_date"])[5:], row["kind"], row["cost_minor"], row["is_from_detail"])
        for row in rows
    ] == [
        ("01-01", "overhead", 500, False),
        ("01-05", "media", 1000, False),
        ("01-06", "media", 1000, False),
        ("01-06", "credit", -100, False),
        ("01-07", "media", 600, True),
        ("01-08", "media", 10, False),
        ("01-09", "media", 800, False),
        ("01-11", "media", 100, False),
    ]


def test_detail_and_residual_are_the_total_in_both_currencies(warehouse: Warehouse) -> None:
    rows = warehouse.rows("select * from fct_spend__ad_daily order by spend_date, is_residual, ad")
    assert [
        (str(row["spend_date"])[5:], row["ad"], row["cost_minor"], row["amount_minor"])
        for row in rows
    ] == [
        # 333.3, 333.3 and 250 add up to 916.6, so to 917: the third of a cent goes to x.
        ("01-05", "(none)", 250, 250),
        ("01-05", "x", 334, 334),
        ("01-05", "y", 333, 333),
        ("01-05", "(residual)", 83, 83),
        ("01-06", "x", 950, 950),
        ("01-06", "(residual)", -50, -50),
        # Three times 3.3 is 9.9, so 10 and not 9; the total is 11.
        ("01-08", "x", 3, 4),
        ("01-08", "y", 3, 3),
        ("01-08", "z", 3, 3),
        ("01-08", "(residual)", 1, 1),
        ("01-09", "x", 600, 600),
        ("01-09", "(residual)", 200, 200),
    ]
    sums = warehouse.rows(
        "select detail.spend_date from (select spend_date, sum(cost_minor) as c,"
        " sum(amount_minor) as a from fct_spend__ad_daily group by 1) as detail"
        " join (select spend_date, sum(cost_minor) as c, sum(amount_minor) as a"
        " from fct_spend__campaign_daily group by 1) as total using (spend_date, c, a)"
    )
    assert len(sums) == 4


def test_clicks_have_a_residual_too(warehouse: Warehouse) -> None:
    row = warehouse.row(
        "select clicks, impressions from fct_spend__ad_daily"
        " where is_residual and spend_date = '2026-01-05'"
    )
    assert row == {"clicks": 3, "impressions": None}


def test_the_newest_load_of_detail_wins(warehouse: Warehouse) -> None:
    assert warehouse.rows("select * from fct_spend__ad_daily where ad = 'gone'") == []


def test_every_row_has_its_reason(warehouse: Warehouse) -> None:
    reasons = warehouse.rows(
        "select feed, disposition, reason, rows from audit_row_reason where table_name = 'spend'"
        " order by all"
    )
    assert [tuple(row.values()) for row in reasons] == [
        ("crm", "excluded", "a subtotal: finer detail of the day is kept", 1),
        ("crm", "excluded", "dated after as_of", 2),
        ("crm", "kept", "detail of a total in the books", 5),
        ("crm", "kept", "in the books", 9),
        ("crm", "superseded", "restated by a later version", 3),
        ("detail", "kept", "detail of a total in the books", 3),
    ]
    row = warehouse.row(
        "select sum(raw_rows) as raw, sum(kept_rows + merged_rows + excluded_rows"
        " + quarantined_rows + superseded_rows) as accounted from audit_row"
        " where table_name = 'spend'"
    )
    assert row == {"raw": 23, "accounted": 23}


def test_a_level_that_is_none_is_named(warehouse: Warehouse) -> None:
    row = warehouse.row("select feed, entity, kind, value, rows from audit_unmapped")
    assert tuple(row.values()) == ("crm", "spend", "level", "keyword", 1)


def test_the_invoice_stands_beside_the_books(warehouse: Warehouse) -> None:
    row = warehouse.row(
        "select * from rpt_spend_reconciliation__account_month where currency = 'USD'"
    )
    assert (row["source"], row["account"], row["status"]) == ("Ads", "1", "ties out")
    assert (row["media_minor"], row["credit_minor"], row["overhead_minor"]) == (3500, -100, 500)
    assert (row["invoiced_media_minor"], row["credit_note_minor"]) == (3500, -100)
    assert (row["invoice_residual_minor"], row["fee_residual_minor"]) == (0, 100)
    euros = warehouse.row(
        "select * from rpt_spend_reconciliation__account_month where currency = 'EUR'"
    )
    assert (euros["media_minor"], euros["status"]) == (10, "no invoice yet")
    assert (euros["invoice_residual_minor"], euros["fee_residual_minor"]) == (None, None)


def test_overheads_are_in_no_campaign_and_reach_no_lead(warehouse: Warehouse) -> None:
    """In CAC, since they are spend; not in a campaign's return."""
    row = warehouse.row("select * from fct_spend__campaign_daily where kind = 'overhead'")
    assert row["campaign_key"] == "ADS / (overhead)"
    moved = warehouse.rows(
        "select to_stage, sum(amount_minor) as n from fct_dollar_journal__entry"
        " where campaign_key = 'ADS / (overhead)' group by all"
    )
    assert moved == [{"to_stage": "overhead", "n": 500}]
    given = warehouse.row(
        "select sum(amount_minor) as n from fct_dollar_journal__entry where kind = 'allocation'"
    )
    assert given == {"n": 1000 + 1000 - 100 + 600 + 11 + 800 + 100}


def test_the_same_inputs_have_not_shrunk(warehouse: Warehouse) -> None:
    volumes = warehouse.rows(
        "select * from audit_volume where table_name = 'spend' order by feed, month"
    )
    assert [(row["feed"], str(row["month"]), row["rows"]) for row in volumes] == [
        ("crm", "2026-01-01", 15), ("crm", "2026-05-01", 2), ("detail", "2026-01-01", 3),
    ]  # fmt: skip
    assert warehouse.rows("select * from audit_volume_shrunk") == []
