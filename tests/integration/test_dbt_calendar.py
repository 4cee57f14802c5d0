"""Fiscal periods, week starts and long days, from landed rows to cohorts and published days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from orchestration.lib.landing.calendar import COLUMNS, Fiscal, calendar_days
from tests.integration.dbt_fixture import Warehouse

ZONE = "America/New_York"
#: A fiscal year of 4-4-5 weeks from Sunday 1 February 2026; its first quarter ends on 2 May.
FISCAL = Fiscal("sunday", "4-4-5", (date(2026, 2, 1),))


def days(fiscal: Fiscal) -> list[dict[str, Any]]:
    """What the landing would write, for the years that matter here."""
    names = [name for name, _ in COLUMNS]
    return [
        dict(zip(names, row, strict=True))
        for row in calendar_days(fiscal, ZONE)
        if date(2026, 1, 1) <= row[0] < date(2026, 7, 1)  # type: ignore[operator]
    ]


def company(cohort_period: str) -> dict[str, list[dict[str, Any]]]:
    """Spend and leads on both sides of the edges of fiscal and calendar periods."""
    spend = {"source": "Google Ads", "campaign": "Brand", "currency": "USD", "cost": "10"}
    instants = {
        "saturday": "2026-03-01 04:59",  # 23:59 on Saturday 28 February
        "sunday": "2026-03-01 05:00",  # midnight: Sunday, a new week; the month goes on
        "last of quarter": "2026-05-03 03:59",  # 23:59 on Saturday 2 May, by then summer time
        "next quarter": "2026-05-03 04:00",
        "no such hour": "2026-03-08 07:30",  # 03:30 in New York: the hour before was left out
    }
    return {
        "run_parameter": [{"time_zone": ZONE, "cohort_period": cohort_period, "as_of": AS_OF}],
        "calendar_day": days(FISCAL),
        "campaigns": [{"source": "Google Ads", "campaign": "Brand"}],
        "spend": [spend | {"day": day} for day in ("2026-02-28", "2026-03-01", "2026-05-03")],
        "leads": [
            {"lead_id": name, "created_at": at, "source": "Google Ads", "campaign": "Brand"}
            for name, at in instants.items()
        ],
    }


AS_OF = "2026-05-20 12:00:00"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(tmp_path_factory.mktemp("calendar"))


@pytest.mark.parametrize(
    ("cohort_period", "expected"),
    [
        ("week", {
            "saturday": date(2026, 2, 22), "sunday": date(2026, 3, 1),
            "last of quarter": date(2026, 4, 26), "next quarter": date(2026, 5, 3),
            "no such hour": date(2026, 3, 8),
        }),
        ("month", {
            "saturday": date(2026, 2, 1), "sunday": date(2026, 3, 1),
            "last of quarter": date(2026, 3, 29), "next quarter": date(2026, 5, 3),
            "no such hour": date(2026, 3, 1),
        }),
        ("quarter", {
            "saturday": date(2026, 2, 1), "sunday": date(2026, 2, 1),
            "last of quarter": date(2026, 2, 1), "next quarter": date(2026, 5, 3),
            "no such hour": date(2026, 2, 1),
        }),
    ],
)  # fmt: skip
def test_cohorts_follow_the_companys_own_periods(
    warehouse: Warehouse, cohort_period: str, expected: dict[str, date]
) -> None:
    warehouse.build(company(cohort_period), "+int_lead", "+int_cohort")
    found = warehouse.rows("select lead_id, cohort_start_date from int_lead")
    assert {row["lead_id"]: row["cohort_start_date"] for row in found} == expected
    cohorts = warehouse.rows("select cohort_start_date, closes_at from int_cohort order by all")
    assert {row["cohort_start_date"] for row in cohorts} == set(expected.values())
    if cohort_period == "quarter":
        # The quarter closes at midnight in New York: 4 hours behind UTC by then.
        assert cohorts[0]["closes_at"] == datetime(2026, 5, 3, 4)
        assert cohorts[1]["closes_at"] == datetime(2026, 8, 2, 4)


def test_published_days_are_whole_fiscal_years(warehouse: Warehouse) -> None:
    warehouse.build(
        company("month"),
        "+dim_date",
        "+dim_campaign",
        "dim_stage",
        "fct_opportunity_stage__interval",
    )
    first = warehouse.row("select * from dim_date order by day_date limit 1")
    assert (first["day_date"], first["year_start_date"]) == (date(2026, 2, 1), date(2026, 2, 1))
    long_and_short = warehouse.rows(
        "select day_date, date_diff('hour', starts_at, ends_at) as hours from dim_date"
        " where date_diff('hour', starts_at, ends_at) <> 24"
    )
    assert long_and_short == [{"day_date": date(2026, 3, 8), "hours": 23}]
