"""Handoffs and velocity: hours, trails, percentiles and factors are what Python makes them.

One company in New York, built once. Leads are handed over across a weekend, a holiday, the day the
clocks change and the night; deals are opened, won, lost and left open by a rule of arithmetic.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import log
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orchestration.lib.plan.calendar import business_days
from tests.integration.dbt_fixture import Warehouse
from tests.integration.plan_fixture import Version, plan_rows

Row = dict[str, Any]

NEW_YORK = ZoneInfo("America/New_York")
AS_OF = datetime(2026, 3, 31, 23)
WINDOW, LOOKBACK = 60, 91
FIRST_DEAL = date(2025, 9, 3)
HOLIDAY = {"curve": None, "first_day": date(2026, 1, 19), "last_day": None, "weight_pct": 0}
DAYS = business_days(
    {"business_hours": "09:00-17:00", "business_days": None},
    (), [HOLIDAY], date(2026, 1, 1), date(2026, 4, 2), "America/New_York",
)  # fmt: skip


def utc(clock: str) -> datetime:
    """The instant at which the clocks of New York show this time of 2026."""
    local = datetime.strptime(f"2026-{clock}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=NEW_YORK)
    return local.astimezone(UTC).replace(tzinfo=None)


def leads() -> tuple[list[Row], list[Row]]:
    """The leads, and their changes: when by the clock, status, actor, reason."""
    trails: dict[str, tuple[str, list[tuple[str, str, str | None, str | None]]]] = {
        "weekend": ("01-08 09:00:01", [("01-09 16:00:00", "MQL", "auto", None),
                                       ("01-12 10:00:00", "Accepted", "Sam", None)]),
        "holiday": ("01-08 09:00:02", [("01-16 12:00:00", "MQL", "auto", None),
                                       ("01-20 10:00:00", "Rejected", "Sam", "No budget")]),
        "clocks": ("01-08 09:00:03", [("03-06 16:00:00", "MQL", "auto", None),
                                      ("03-09 10:00:00", "Rejected", "Sam", None)]),
        "night": ("01-08 09:00:04", [("01-13 22:00:00", "MQL", "auto", None),
                                     ("01-14 07:00:00", "Accepted", "Sam", None)]),
        "waits": ("01-08 09:00:05", [("03-30 10:00:00", "MQL", "auto", None),
                                     ("03-30 10:30:00", "Working", "Sam", None)]),
        "lapsed": ("01-08 09:00:06", [("01-13 10:00:00", "MQL", "auto", None),
                                      ("01-15 10:00:00", "Expired", "Sam", "too late")]),
        "typed in": ("01-09 10:00:00", [("01-09 10:00:10", "MQL", "Sam", None),
                                        ("01-09 10:01:00", "Accepted", "Sam", None)]),
        "a minute on": ("01-09 11:00:00", [("01-09 11:00:10", "MQL", "Sam", None),
                                           ("01-09 11:01:01", "Accepted", "Sam", None)]),
        "backdated": ("01-12 09:00:00", [("01-08 09:00:00", "MQL", "auto", None),
                                         ("01-12 09:30:00", "Accepted", "Sam", None)]),
    }  # fmt: skip
    for number in range(10):
        changes: list[tuple[str, str, str | None, str | None]] = (
            [("01-12 10:00:00", "MQL", "auto", None)] if number == 0 else []
        )
        trails[f"import {number}"] = ("01-06 15:00:05", changes)
    for number in range(18):
        trails[f"refused {number:02d}"] = (
            f"02-02 10:{number:02d}:00",
            [(f"02-02 11:{number:02d}:00", "MQL", "auto", None),
             (f"02-02 12:{number:02d}:30", "Rejected", "Kim", "Wrong region")],
        )  # fmt: skip
    rows = [
        {"lead_id": lead_id, "created_at": utc(created), "source": "Ads", "campaign": "A",
         "owner": "Kim" if lead_id.startswith("refused") else "Sam"}
        for lead_id, (created, _) in trails.items()
    ]  # fmt: skip
    events = [
        {"lead_id": lead_id, "occurred_at": utc(when), "status": status, "actor": actor,
         "reason": reason}
        for lead_id, (_, changes) in trails.items()
        for when, status, actor, reason in changes
    ]  # fmt: skip
    return rows, events


def deals() -> list[Row]:
    """One every three days: won, lost, open and open; one of campaign B, lost."""
    found: list[Row] = []
    for number in range(70):
        opened = FIRST_DEAL + timedelta(days=3 * number)
        days, stage = [(5 + number % 20, "won"), (10 + number * 7 % 65, "lost"), (0, "open"),
                       (0, "open")][number % 4]  # fmt: skip
        closed = opened + timedelta(days=days) if days else None
        if closed and closed > AS_OF.date():
            closed = None
        found.append({"opened": opened, "closed": closed, "is_won": closed and stage == "won",
                      "campaign": "A", "amount": 1000 + 10 * number})  # fmt: skip
    lost = date(2025, 12, 20)
    return [*found, {"opened": date(2025, 12, 1), "closed": lost, "is_won": False, "campaign": "B",
                     "amount": 500}]  # fmt: skip


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    kpis = {
        "mqls": {"owner": "mia", "owner_department": "marketing"},
        "rate_mql_sal": {"owner": "rita", "owner_department": "revops", "window_days": 14,
                         "sla_hours": 6, "cadence_days": 30},
        "rate_opportunity_won": {"window_days": WINDOW},
        "opportunities": {}, "acv": {}, "bookings": {"tolerance_pct": "20"},
    }  # fmt: skip
    plan = plan_rows([
        Version(
            1, "2026-01-01",
            {
                ("FY2026-Q1", "company"): {"mqls": 30, "rate_mql_sal": "0.6", "opportunities": 600,
                                           "acv": 1000, "rate_opportunity_won": "0.5"},
                # A plan of three deals: that none is won may be chance.
                ("FY2026-Q1", "channel:few"): {"opportunities": 3, "acv": 1000,
                                               "rate_opportunity_won": "0.5"},
            },
            kpis, {"channel:few": ()}, policy={"business_hours": "09:00-17:00"},
        )
    ])  # fmt: skip
    rows, events = leads()
    made = Warehouse(tmp_path_factory.mktemp("handoff"))
    made.build(
        {
            "campaigns": [{"source": "Ads", "campaign": "A"},
                          {"source": "Ads", "campaign": "B", "channel": "few"}],
            "spend": [{"source": "Ads", "account": "1", "campaign": "A", "day": date(2026, 1, 6),
                       "currency": "USD", "cost": 310}],
            "leads": rows,
            "lead_events": events,
            "opportunities": [
                {"opportunity_id": f"O{number:02d}", "source": "Ads", "campaign": deal["campaign"],
                 "created_at": f"{deal['opened']} 17:00", "amount": deal["amount"],
                 "currency": "USD", "is_deleted": False,
                 "stage": ("Won" if deal["is_won"] else "Lost") if deal["closed"] else "Open",
                 "stage_at": f"{deal['closed'] or deal['opened']} 17:00",
                 "close_date": deal["closed"]}
                for number, deal in enumerate(deals())
            ],
            "stage_map": [
                {"feed": "crm", "entity": entity, "raw_status": raw, "stage": stage}
                for entity, raw, stage in [
                    ("lead", "MQL", "mql"), ("lead", "Working", "mql"), ("lead", "Accepted", "sal"),
                    ("lead", "Rejected", "rejected"), ("lead", "Expired", "expired"),
                    ("opportunity", "Open", "opportunity"), ("opportunity", "Won", "won"),
                    ("opportunity", "Lost", "lost"),
                ]
            ],
            **plan,
            "plan_business_day": [
                {"version": 1, "day": day, "opens_at": opens, "closes_at": closes}
                for day, opens, closes in DAYS
            ],
        },
        "+rpt_handoff__owner_month", "+rpt_handoff_outcome__owner_month", "+rpt_variance_item",
        "+rpt_handoff_sla__metric_period", "fct_opportunity_stage__interval",
    )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def trail(books: Warehouse) -> dict[str, Row]:
    return {row["lead_id"]: row for row in books.rows("select * from rpt_handoff__lead")}


def worked(start: datetime, finish: datetime) -> int:
    """Seconds of business time, day by day."""
    return sum(
        max(0, int((min(finish, closes) - max(start, opens)).total_seconds()))
        for _, opens, closes in DAYS
    )


# --- Business hours ------------------------------------------------------------------------------


def test_business_hours_leave_out_nights_weekends_holidays_and_follow_the_clocks(
    trail: dict[str, Row],
) -> None:
    hours = {name: float(row["handoff_business_hours"] or 0) for name, row in trail.items()}
    assert {name: hours[name] for name in ("weekend", "holiday", "clocks", "night", "waits")} == {
        "weekend": 2, "holiday": 6, "clocks": 2, "night": 0, "waits": 15,
    }  # fmt: skip
    assert float(trail["clocks"]["handoff_hours"]) == 65  # an hour less than by the clocks
    assert float(trail["night"]["mql_hours"]) == 9


def test_every_interval_is_what_a_sum_over_days_makes_it(books: Warehouse) -> None:
    rows = books.rows("select * from int_handoff__interval where version is not null")
    assert len(rows) > 40
    for row in rows:
        assert row["business_seconds"] == worked(row["entered_at"], row["until_at"]), row
    before = books.rows("select * from int_handoff__interval where version is null")
    assert all(row["business_seconds"] is None for row in before)


# --- Trails --------------------------------------------------------------------------------------


def test_who_was_handed_over_and_whose_times_count(trail: dict[str, Row]) -> None:
    flags = ("is_handed_over", "is_timed", "is_sales_entered", "is_bulk_created", "is_backdated")
    found = {name: [flag for flag in flags if row[flag]] for name, row in trail.items()}
    assert found["weekend"] == found["a minute on"] == ["is_handed_over", "is_timed"]
    assert found["typed in"] == ["is_sales_entered"]
    assert found["import 0"] == ["is_handed_over", "is_bulk_created"]
    assert found["import 1"] == ["is_bulk_created"]
    assert found["backdated"] == ["is_handed_over", "is_backdated"]
    assert trail["typed in"]["outcome"] is None
    assert trail["backdated"]["sla_status"] is None


def test_a_trail_says_who_answered_when_and_why(trail: dict[str, Row]) -> None:
    names = ("outcome", "reason", "handed_over_by", "decided_by", "marketing_owner", "sales_owner",
             "handoff_owner", "clock", "sla_status")  # fmt: skip
    holiday = trail["holiday"]
    assert [holiday[name] for name in names] == [
        "rejected", "No budget", "auto", "Sam", "mia", "Sam", "rita", "business", "in time",
    ]  # fmt: skip
    assert holiday["assigned_at"] == holiday["first_response_at"] == holiday["decided_at"]
    # Somebody else touched it, though it stands where it stood; expiry is no response.
    assert trail["waits"]["first_response_at"] == utc("03-30 10:30:00")
    assert (trail["waits"]["outcome"], trail["waits"]["sla_status"]) == ("waiting", "late")
    assert (trail["lapsed"]["outcome"], trail["lapsed"]["first_response_at"]) == ("expired", None)


def test_the_dollars_of_the_trails_are_those_of_the_journal(
    books: Warehouse, trail: dict[str, Row]
) -> None:
    """310 dollars over the 19 leads of January."""
    assert sum(row["amount_minor"] for row in trail.values()) == 31000
    assert {trail[name]["amount_minor"] for name in ("weekend", "import 9")} <= {1631, 1632}
    assert trail["refused 00"]["amount_minor"] == 0


# --- Months --------------------------------------------------------------------------------------


def percentile(observed: list[tuple[int, bool]], part: float) -> int | None:
    """Kaplan and Meier: the first second by which so many have got there."""
    surviving = 1.0
    for second in sorted({each for each, _ in observed}):
        at_risk = sum(each >= second for each, _ in observed)
        events = sum(each == second and happened for each, happened in observed)
        surviving *= 1 - events / at_risk
        if surviving <= 1 - part + 1e-9:
            return second
    return None


@pytest.mark.parametrize("part", [50, 90])
def test_percentiles_count_who_waits_as_waiting(
    books: Warehouse, trail: dict[str, Row], part: int
) -> None:
    seconds = {
        (row["lead_id"], row["entry_number"]): row["business_seconds"]
        for row in books.rows("select * from int_handoff__interval")
    }
    months = books.rows("select * from rpt_handoff__owner_month where side = 'both'")
    assert [month["timed"] for month in months if month["handed_over"]]
    for month in months:
        of_month = [
            row
            for row in trail.values()
            if row["is_timed"]
            and f"{row['handed_over_date']:%Y-%m}-01" == str(month["month_start_date"])
        ]
        handoffs = [
            (seconds[row["lead_id"], row["handoff_entry_number"]], row["decided_at"] is not None)
            for row in of_month
        ]
        responses = [
            (
                worked(
                    row["handed_over_at"],
                    row["first_response_at"] or row["decided_at"] or AS_OF,
                ),
                row["first_response_at"] is not None,
            )
            for row in of_month
        ]
        for name, observed in (("handoff", handoffs), ("response", responses)):
            expected = percentile(observed, part / 100)
            found = month[f"{name}_hours_p{part}"]
            assert (found is None) == (expected is None), month
            assert expected is None or float(found) == expected // 36 / 100, month


def test_both_sides_count_the_same_leads(books: Warehouse) -> None:
    sides = books.rows(
        "select side, month_start_date, sum(handed_over)::int as leads, sum(accepted)::int as"
        " accepted, sum(amount_minor)::int as minor, count(*)::int as owners"
        " from rpt_handoff__owner_month group by all order by all"
    )
    by_side: dict[str, list[tuple[Any, ...]]] = {}
    for row in sides:
        by_side.setdefault(row["side"], []).append((row["leads"], row["accepted"], row["minor"]))
    assert by_side["both"] == by_side["marketing"] == by_side["sales"]
    february = books.rows(
        "select owner, outcome, reason, leads::int as leads from rpt_handoff_outcome__owner_month"
        " where side = 'sales' and month_start_date = '2026-02-01'"
    )
    assert february == [
        {"owner": "Kim", "outcome": "rejected", "reason": "Wrong region", "leads": 18}
    ]


def test_the_hours_of_the_plan_leave_out_the_same_leads(
    books: Warehouse, trail: dict[str, Row]
) -> None:
    (january,) = books.rows(
        "select clock, leads, left_out, in_time, late from rpt_handoff_sla__metric_period"
        " where period = 'FY2026-M01'"
    )
    assert january == {"clock": "business", "leads": 5, "left_out": 3, "in_time": 4, "late": 1}
    of_month = [row["sla_status"] for row in trail.values() if row["handed_over_date"]
                and row["handed_over_date"].month == 1]  # fmt: skip
    assert (of_month.count("in time"), of_month.count("late")) == (4, 1)


# --- Velocity ------------------------------------------------------------------------------------


def factors(day: date) -> dict[str, int]:
    """What a day's velocity is made of, by a loop over the deals."""
    mine = deals()
    window = [
        deal
        for deal in mine
        if day - timedelta(days=WINDOW) < deal["opened"] <= day
        and (deal["closed"] is None or deal["closed"] > day)
    ]
    matured = [
        deal
        for deal in mine
        if 0 <= (day - deal["opened"]).days - WINDOW < LOOKBACK
    ]  # fmt: skip
    days = [
        WINDOW if deal["closed"] is None else min(WINDOW, (deal["closed"] - deal["opened"]).days)
        for deal in matured
    ]
    wins = sum(bool(deal["is_won"]) for deal in matured)
    minor = sum(deal["amount"] * 100 for deal in window)
    return {
        "open_opportunities": len(window),
        "open_pipeline_minor": minor,
        "matured": len(matured),
        "wins": wins,
        "cycle_sum": sum(days),
        "velocity_minor": minor * wins // sum(days) if matured else 0,
    }


def weeks(books: Warehouse, scope: str = "company") -> list[Row]:
    return books.rows(
        f"select * from rpt_velocity__segment_week where scope = '{scope}' order by week_start_date"
    )


def test_velocity_is_its_four_factors(books: Warehouse) -> None:
    found = weeks(books)
    assert len(found) == 31
    assert found[-1]["measured_at"] == AS_OF
    assert not found[-1]["is_complete"]
    judged = 0
    for row in found:
        day = min(row["week_start_date"] + timedelta(days=6), AS_OF.date())
        expected = factors(day)
        for name in ("open_opportunities", "open_pipeline_minor", "matured", "wins"):
            assert row[name] == expected[name], (day, name)
        if expected["matured"]:
            judged += 1
            assert row["velocity_minor"] == expected["velocity_minor"], day
            assert float(row["cycle_days"]) == pytest.approx(
                expected["cycle_sum"] / expected["matured"]
            )
    # No deal has had its window in the first weeks: nothing is made up.
    assert [row["velocity_minor"] for row in found][:8] == [None] * 8
    assert judged == len(found) - 8


def test_the_parts_of_a_change_add_up_and_follow_the_logarithms(books: Warehouse) -> None:
    parts = ("open_opportunities", "win_rate", "acv", "cycle_days")
    checked = 0
    found = [*zip(weeks(books), weeks(books)[1:], strict=False)]
    for before, row in found:
        if row["change_minor"] is None:
            continue
        told = [row[f"{name}_part_minor"] for name in parts]
        assert sum(told) == row["change_minor"] == row["velocity_minor"] - before["velocity_minor"]
        if not (row["velocity_minor"] and before["velocity_minor"]):
            continue
        first, last = before["velocity_minor"], row["velocity_minor"]
        mean = last if first == last else (last - first) / log(last / first)
        ratios = [
            float(row[name]) / float(before[name])
            for name in ("open_opportunities", "win_rate", "acv_minor", "cycle_days")
        ]
        ratios[3] = 1 / ratios[3]
        for part, ratio in zip(told, ratios, strict=True):
            assert part == pytest.approx(mean * log(ratio), abs=3)
        checked += 1
    assert checked > 15


def test_an_alarm_needs_two_weeks_and_more_than_three_deals(books: Warehouse) -> None:
    """600 deals were planned and 30 came; of the three of a channel the one that came is lost."""
    company = [row for row in weeks(books) if row["planned_velocity_minor"] is not None]
    assert {row["planned_velocity_minor"] for row in company} == {333_333}
    assert [row["is_alarm"] for row in company] == [False] + [True] * (len(company) - 1)
    assert {row["alarmed_at"] for row in company[1:]} == {utc("01-12 00:00:00")}
    few = [row for row in weeks(books, "channel:few") if row["velocity_minor"] is not None]
    assert few
    assert all(row["is_below_plan"] and not row["is_alarm"] for row in few)


def test_alarms_open_items_that_the_handoffs_owner_answers(books: Warehouse) -> None:
    items = {
        (row["metric"], row["period"]): row
        for row in books.rows("select * from rpt_variance_item where kind <> 'tolerance'")
    }
    velocity = items["velocity", "FY2026-Q1"]
    assert (velocity["owner"], velocity["status"]) == ("rita", "overdue")
    assert (velocity["opened_date"], velocity["due_date"]) == (date(2026, 1, 12), date(2026, 2, 11))
    assert velocity["item_id"].startswith("V-")
    both = books.rows(
        "select kind, causes, owner, alarmed_at from rpt_variance_item"
        " where metric = 'rate_mql_sal'"
    )
    assert [row["owner"] for row in both] == ["rita"]
    assert both[0]["causes"] in ("drift", "tolerance; drift")
    (drift,) = books.rows(
        "select alarmed_at from rpt_drift__cohort_transition"
        " where is_alarm and metric = 'rate_mql_sal'"
    )
    assert both[0]["alarmed_at"] == drift["alarmed_at"]
