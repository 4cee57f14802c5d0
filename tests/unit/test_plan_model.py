"""A plan in memory and as a folder: cells, calendars, and every way in which it is none."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.lib.plan import calendar
from orchestration.lib.plan.folder import (
    file_name,
    plan_of,
    read_plan,
    sheet_bytes,
    versions,
    write_plan,
)
from orchestration.lib.plan.model import Plan, PlanError, canonical, parse
from orchestration.lib.plan.sheets import SETTINGS, SHEETS, WEEKDAYS, Column
from tests.support import plans

# --- Cells ---------------------------------------------------------------------------------------

MONEY = Column("money", "decimal", "Money", minimum=0)
SHARE = Column("share", "decimal", "Share", minimum=0, maximum=1)
WHOLE = Column("whole", "integer", "Whole", minimum=0, maximum=100)
POLICY = Column("policy", "choice", "Policy", choices=("block", "warn"))


def column(kind: Any) -> Column:
    return Column("cell", kind, "A cell")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (column("text"), "  a b ", "a b"),
        (column("text"), "e\u0301", "é"),
        (column("text"), "\u00a0a\u00a0b\u202f", "a b"),
        (column("text"), " \u00a0 ", None),
        (column("slug"), "Mia.B-1", "mia.b-1"),
        (column("key"), "AB" * 32, "ab" * 32),
        (column("date"), "2024-02-29", date(2024, 2, 29)),
        (column("integer"), "+12.0", 12),
        (column("decimal"), "-0", Decimal(0)),
        (column("decimal"), "1234567890.123456789", Decimal("1234567890.123456789")),
        (column("boolean"), "TRUE", True),
        (column("boolean"), "no", False),
        (POLICY, "Block", "block"),
        (column("list"), "a; ;b ;", ("a", "b")),
        (column("list"), ";", None),
        (column("scope"), "Company", "company"),
        (column("scope"), "Channel: Paid Search", "channel:Paid Search"),
        (column("scope"), "campaign:a:b", "campaign:a:b"),
        (column("hours"), "9:00 \u2013 17:30", "09:00-17:30"),
        (column("hours"), "00:00-24:00", "00:00-24:00"),
    ],
)
def test_a_cell_is_read(kind: Column, text: str, value: object) -> None:
    assert parse(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (column("text"), "two\nlines", "one line"),
        (column("text"), "two\u2028lines", "one line"),
        (column("slug"), "mia b", "short name"),
        (column("slug"), "-mia", "short name"),
        (column("key"), "ab" * 31, "64 hexadecimal digits"),
        (column("date"), "31.01.2026", "2026-01-31"),
        (column("date"), "2026-02-30", "2026-01-31"),
        (column("date"), "20260131", "2026-01-31"),
        (column("integer"), "1.5", "a whole number"),
        (column("decimal"), "1,234.56", "without separators"),
        (column("decimal"), "$5", "signs of currency"),
        (column("decimal"), "5%", "or %"),
        (column("decimal"), "1e5", "a number"),
        (column("decimal"), "NaN", "a number"),
        (column("decimal"), "9" * 19, "a number"),
        (column("decimal"), "0.1234567891", "9 digits after the point"),
        (MONEY, "-1", "at least 0"),
        (SHARE, "40", "0 to 1; a share of 40 % is written 0.4"),
        (WHOLE, "101", "0 to 100"),
        (column("boolean"), "maybe", "yes or no"),
        (POLICY, "blokc", "did you mean 'block'"),
        (column("scope"), "region:emea", "segment:…"),
        (column("scope"), "company:all", "expected company"),
        (column("scope"), "channel:", "channel:…"),
        (column("hours"), "9-17", "such as 09:00-17:00"),
        (column("hours"), "09:60-17:00", "such as 09:00-17:00"),
        (column("hours"), "17:00-09:00", "such as 09:00-17:00"),
        (column("hours"), "09:00-24:01", "such as 09:00-17:00"),
    ],
)
def test_a_cell_is_refused_with_what_is_expected(kind: Column, text: str, expected: str) -> None:
    with pytest.raises(ValueError, match="found") as error:
        parse(kind, text)
    assert expected in str(error.value)


@given(
    st.sampled_from([c for sheet in SHEETS.values() for c in sheet.columns]), st.text(max_size=20)
)
def test_a_value_has_one_form(kind: Column, text: str) -> None:
    try:
        value = parse(kind, text)
    except ValueError:
        return
    written = canonical(kind, value)
    assert parse(kind, written) == value
    assert canonical(kind, parse(kind, written)) == written
    assert unicodedata.is_normalized("NFC", written)


@given(st.decimals(min_value=0, max_value=10**18 - 1, places=9))
def test_a_decimal_has_one_form(number: Decimal) -> None:
    written = canonical(MONEY, parse(MONEY, f"{number:f}"))
    assert Decimal(written) == number
    assert not ("." in written and written.endswith(("0", ".")))


# --- Calendars -----------------------------------------------------------------------------------


def periods(**given: Any) -> tuple[calendar.Period, ...]:
    known = {
        "calendar": "months",
        "fiscal_year_first_day": date(2026, 1, 1),
        "fiscal_years": ("2026",),
    }
    return calendar.periods(known | given)


def by_name(**given: Any) -> dict[str, calendar.Period]:
    return {period.period: period for period in periods(**given)}


def test_calendar_quarters() -> None:
    found = by_name()
    assert [*found][:5] == ["FY2026", "FY2026-Q1", "FY2026-Q2", "FY2026-Q3", "FY2026-Q4"]
    assert len(found) == 17
    assert (found["FY2026-Q1"].start, found["FY2026-Q1"].end) == (
        date(2026, 1, 1),
        date(2026, 4, 1),
    )
    assert found["FY2026-M02"].parent == "FY2026-Q1"
    assert found["FY2026-Q4"].parent == "FY2026"
    assert found["FY2026"].parent is None


@pytest.mark.parametrize("month", range(1, 13))
def test_a_fiscal_year_begins_in_any_month(month: int) -> None:
    first = date(2023, month, 1)
    found = by_name(fiscal_year_first_day=first, fiscal_years=("2024", "2025"))
    assert found["FY2024"].start == first
    assert found["FY2024"].end == found["FY2025"].start == first.replace(year=2024)
    assert all(period.start.day == 1 for period in found.values())


def test_a_fiscal_year_bears_the_name_it_is_given() -> None:
    found = by_name(fiscal_year_first_day=date(2021, 2, 1), fiscal_years=("2022",))
    assert found["FY2022-M12"].start == date(2022, 1, 1)


def weeks(period: calendar.Period) -> int:
    whole, rest = divmod((period.end - period.start).days, 7)
    assert rest == 0
    return whole


@pytest.mark.parametrize(
    ("kind", "shape"), [("4-4-5", [4, 4, 5]), ("4-5-4", [4, 5, 4]), ("5-4-4", [5, 4, 4])]
)
def test_weeks_in_quarters_of_13(kind: str, shape: list[int]) -> None:
    found = by_name(calendar=kind, fiscal_year_first_day=date(2026, 2, 1))
    assert [weeks(found[f"FY2026-M{month:02d}"]) for month in range(1, 13)] == shape * 4
    assert {weeks(found[f"FY2026-Q{quarter}"]) for quarter in range(1, 5)} == {13}
    assert weeks(found["FY2026"]) == 52


def test_the_53rd_week_belongs_to_the_last_month() -> None:
    """The retail year 2023 of 53 weeks: 29 January 2023 to 3 February 2024 (4-5-4)."""
    found = by_name(
        calendar="4-5-4",
        fiscal_year_first_day=date(2023, 1, 29),
        fiscal_years=("2023", "2024"),
        years_of_53_weeks=("2023",),
    )
    assert [weeks(found[f"FY2023-{part}"]) for part in ("M10", "M11", "M12", "Q4")] == [4, 5, 5, 14]
    assert weeks(found["FY2023"]) == 53
    assert found["FY2024"].start == date(2024, 2, 4)
    assert weeks(found["FY2024"]) == 52


@settings(max_examples=50)
@given(
    st.sampled_from(["months", "4-4-5", "4-5-4", "5-4-4"]),
    st.dates(date(1950, 1, 1), date(2150, 1, 1)),
    st.integers(1, 4),
    st.booleans(),
)
def test_parts_add_up_to_the_whole(kind: str, day: date, count: int, has_long: bool) -> None:
    names = tuple(str(2000 + number) for number in range(count))
    found = periods(
        calendar=kind,
        fiscal_year_first_day=day.replace(day=1) if kind == "months" else day,
        fiscal_years=names,
        years_of_53_weeks=names[-1:] if has_long and kind != "months" else (),
    )
    for kind_of_part in ("year", "quarter", "month"):
        parts = [period for period in found if period.kind == kind_of_part]
        assert all(earlier.end == later.start for earlier, later in pairwise(parts))
        assert (parts[0].start, parts[-1].end) == (found[0].start, max(p.end for p in found))
    for parent in found:
        own = [period for period in found if period.parent == parent.period]
        if own:
            assert (own[0].start, own[-1].end) == (parent.start, parent.end)


@pytest.mark.parametrize(
    ("given_settings", "told"),
    [
        ({"fiscal_years": ("26",)}, "a year of four digits"),
        ({"fiscal_years": ("２０２６",)}, "a year of four digits"),
        ({"fiscal_years": ("2026", "2028")}, "years in a row"),
        ({"fiscal_years": ("2026", "2026")}, "years in a row"),
        ({"fiscal_years": tuple(map(str, range(2026, 2037)))}, "at most 10"),
        ({"fiscal_year_first_day": date(2026, 1, 2)}, "the first of a month"),
        ({"fiscal_year_first_day": date(9999, 2, 1)}, "before the year 9999"),
        ({"fiscal_year_first_day": date(9999, 2, 1), "calendar": "4-4-5"}, "before the year 9999"),
        ({"years_of_53_weeks": ("2027",)}, "not among the fiscal_years"),
        ({"years_of_53_weeks": ("2026",)}, "only a calendar of weeks"),
    ],
)
def test_settings_that_make_no_calendar(given_settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        periods(**given_settings)


def weights(
    curves: list[dict[str, Any]], special_days: list[tuple[Any, ...]]
) -> dict[str, dict[date, int]]:
    """Of the week from Monday 5 January 2026; a special day is curve, first, last, percent."""
    names = ("curve", "first_day", "last_day", "weight_pct")
    rows = [dict(zip(names, row, strict=True)) for row in special_days]
    return calendar.weights(curves, rows, date(2026, 1, 5), date(2026, 1, 12))


WORKING = {"curve": "working", **dict.fromkeys(WEEKDAYS, 2), "sat": 0, "sun": 0}


def test_every_day_weighs_the_same_where_no_curve_says_otherwise() -> None:
    assert [*weights([], [])[calendar.STANDARD].values()] == [100] * 7


def test_weekdays_and_special_days() -> None:
    found = weights([WORKING], [(None, date(2026, 1, 7), None, 0)])
    assert [*found["working"].values()] == [200, 200, 0, 200, 200, 0, 0]
    assert [*found["standard"].values()] == [100, 100, 0, 100, 100, 100, 100]


def test_a_curves_own_special_day_beats_that_of_all_and_the_last_of_equals_counts() -> None:
    day = date(2026, 1, 5)
    found = weights([WORKING], [("working", day, None, 50), (None, day, None, 300)])
    assert (found["working"][day], found["standard"][day]) == (100, 300)
    again = weights([WORKING], [(None, day, None, 50), (None, day, None, 300)])
    assert again["working"][day] == 600


def test_special_days_beyond_the_calendar_take_no_time() -> None:
    found = weights([], [(None, date.min, date.max, 7), (None, date(2030, 1, 1), None, 0)] * 500)
    assert [*found[calendar.STANDARD].values()] == [7] * 7
    assert set(weights([], [(None, date.min, date(2026, 1, 4), 7)])["standard"].values()) == {100}


BUSINESS = {"business_hours": "09:00-17:00", "business_days": None}


def business_days(
    first_day: date, end: date, curves: Any = (), special_days: Any = (), **given: Any
) -> list[tuple[date, datetime, datetime]]:
    return calendar.business_days(
        BUSINESS | given, curves, special_days, first_day, end, "America/New_York"
    )


def test_a_day_is_worked_by_the_clocks_of_the_company() -> None:
    """On Sunday 8 March 2026 the clocks of New York go forward; Christmas is a Friday."""
    friday, monday = business_days(date(2026, 3, 6), date(2026, 3, 10))[:4:3]
    assert friday == (date(2026, 3, 6), datetime(2026, 3, 6, 14), datetime(2026, 3, 6, 22))
    assert monday == (date(2026, 3, 9), datetime(2026, 3, 9, 13), datetime(2026, 3, 9, 21))
    through = {"business_hours": "00:00-24:00", "business_days": "all"}
    every = [{"curve": "all", **dict.fromkeys(WEEKDAYS, 1)}]
    (sunday,) = business_days(date(2026, 3, 8), date(2026, 3, 9), every, **through)
    assert sunday[2] - sunday[1] == timedelta(hours=23)


def test_nobody_works_on_days_off() -> None:
    holiday = [{"curve": None, "first_day": date(2026, 12, 25), "last_day": None, "weight_pct": 0}]
    found = business_days(date(2026, 12, 24), date(2026, 12, 29), (), holiday)
    assert [day for day, opens, closes in found if closes > opens] == [
        date(2026, 12, 24),
        date(2026, 12, 28),
    ]
    sundays = [{"curve": calendar.WORKING_DAYS, **dict.fromkeys(WEEKDAYS, 0), "sun": 3}]
    found = business_days(date(2026, 12, 24), date(2026, 12, 29), sundays)
    assert [day for day, opens, closes in found if closes > opens] == [date(2026, 12, 27)]
    assert business_days(date(2026, 1, 1), date(2026, 2, 1), business_hours=None) == []


# --- The whole -----------------------------------------------------------------------------------


def test_the_small_plan_is_one() -> None:
    plan = plans.small_plan()
    assert plan.settings["company"] == "Example Ltd"
    assert plan.settings["effective_from"] == date(2026, 1, 1)
    assert plan.settings["max_cac"] is None
    assert plan.periods["FY2026-M12"].end == date(2027, 1, 1)
    assert [row.number for row in plan.rows("targets")] == [2, 3, 4]


def test_settings_have_one_order_and_one_form() -> None:
    """The same settings are the same bytes, in whatever order and spelling they were given."""
    sheets = plans.small_sheets()
    other = plans.small_sheets()
    other["plan"] = [
        {"key": row["key"].upper(), "value": f" {row['value']} "} for row in other["plan"][::-1]
    ]
    other["plan"] += [{"key": "reason", "value": ""}]
    for row in other["plan"]:
        if row["key"] == "FUNNEL_TOLERANCE_PCT":
            row["value"] = "1.000"
    plan, again = plans.plan_of(sheets), plans.plan_of(other)
    assert plan == again
    assert sheet_bytes(plan, "plan") == sheet_bytes(again, "plan")
    order = [column.name for column in SETTINGS]
    keys = [str(row["key"]) for row in again.rows("plan")]
    assert keys == sorted(keys, key=order.index)


def test_rows_without_a_value_are_none() -> None:
    sheets = plans.small_sheets()
    sheets["targets"].insert(1, dict.fromkeys(SHEETS["targets"].column_names, " "))
    plan = plans.plan_of(sheets)
    assert [row.number for row in plan.rows("targets")] == [2, 4, 5]
    assert plan == plans.small_plan()


#: sheet, row (from 0; None: a new one), the cells changed (None: the sheet is emptied), the place,
#: what is said.
STRUCTURAL: list[tuple[str, int | None, dict[str, str] | None, str, str]] = [
    ("plan", None, None, "plan:None: None", "found no row"),
    ("scopes", None, None, "scopes:None: None", "found no row"),
    ("targets", None, None, "targets:None: None", "found no row"),
    ("plan", 0, {"value": ""}, "plan:2: value", "no value for 'company'"),
    ("plan", 0, {"key": "compani"}, "plan:2: key", "did you mean 'company'"),
    ("plan", 2, {"value": "US Dollar"}, "plan:4: value", "expected an ISO 4217 code"),
    ("plan", 2, {"value": "UDS"}, "plan:4: value", "expected an ISO 4217 code"),
    ("plan", 3, {"value": "soon"}, "plan:5: value", "effective_from: found 'soon'"),
    ("plan", 4, {"value": "weeks"}, "plan:6: value", "calendar: found 'weeks'"),
    ("plan", 5, {"value": "2026-01-15"}, "plan:7: value", "the first of a month"),
    ("plan", 6, {"value": ";"}, "plan:8: value", "no value for 'fiscal_years'"),
    ("plan", 6, {"value": "2026; 2030"}, "plan:8: value", "years in a row"),
    ("plan", 7, {"value": "-1"}, "plan:9: value", "at least 0"),
    ("plan", None, {"key": "currency", "value": "EUR"}, "plan:12: key", "again (first in row 4)"),
    ("people", 0, {"department": "legal"}, "people:2: department", "expected one of marketing"),
    ("people", 1, {"person": "mia"}, "people:3: person", "found mia again (first in row 2)"),
    ("people", 0, {"person": ""}, "people:2: person", "found nothing"),
    ("people", 0, {"public_key": "abc"}, "people:2: public_key", "64 hexadecimal digits"),
    ("scopes", 0, {"parent": "channel:search"}, "scopes:2: parent", "company is the top"),
    ("scopes", 1, {"parent": ""}, "scopes:3: parent", "the scope that this one adds up to"),
    ("scopes", 1, {"parent": "channel:serch"}, "scopes:3: parent", "did you mean"),
    ("scopes", 1, {"parent": "channel:search"}, "scopes:3: parent", "circular roll-up"),
    ("scopes", 1, {"parent": "campaign:brand"}, "scopes:3: parent", "circular roll-up"),
    ("scopes", 1, {"level": "segment"}, "scopes:3: level", "expected 'channel'"),
    ("scopes", None, {"scope": "channel:search", "level": "channel", "parent": "company"},
     "scopes:5: scope", "again (first in row 3)"),
    ("stages", 0, {"stage": "won"}, "stages:2: stage", "expected one of lead, mql, sal, sql"),
    ("kpis", 0, {"scope": "channel:none"}, "kpis:2: scope", "a name from the sheet scopes"),
    ("kpis", 0, {"curve": "seasonal"}, "kpis:2: curve", "a name from the sheet curves"),
    ("kpis", 0, {"metric": "likes"}, "kpis:2: metric", "expected one of budget"),
    ("kpis", 0, {"trigger_pct": "0"}, "kpis:2: trigger_pct", "expected more than 0"),
    ("plan", None, {"key": "business_hours", "value": "9 to 5"}, "plan:12: value",
     "business_hours: found '9 to 5'"),
    ("plan", None, {"key": "business_days", "value": "standrad"}, "plan:12: value",
     "did you mean 'standard'"),
    ("targets", 0, {"period": "2026-Q1"}, "targets:2: period", "did you mean 'FY2026-Q1'"),
    ("targets", 0, {"period": "FY2027-Q1"}, "targets:2: period", "a period of the plan's calendar"),
    ("targets", 0, {"scope": "segment:smb"}, "targets:2: scope", "a name from the sheet scopes"),
    ("targets", 1, {"period": "FY2026-Q1"}, "targets:3: period", "again (first in row 2)"),
    ("targets", 0, {"leads": "many"}, "targets:2: leads", "expected a number"),
    ("promises", 0, {"value": ""}, "promises:2: value", "found nothing, expected how much"),
    ("promises", 0, {"by": "max"}, "promises:2: by", "a name from the sheet people"),
    ("promises", 0, {"metric": "acv"}, "promises:2: metric", "expected one of"),
    ("capacity", 0, {"reps": "-1"}, "capacity:2: reps", "at least 0"),
    ("curves", 1, {"curve": "standard"}, "curves:3: curve", "again (first in row 2)"),
    ("curves", 1, dict.fromkeys(WEEKDAYS, "0"), "curves:3: curve", "no day with a weight"),
    ("special_days", 0, {"last_day": "2026-12-01"}, "special_days:2: last_day", "or later"),
    ("special_days", 0, {"curve": "none"}, "special_days:2: curve", "the sheet curves"),
    ("special_days", 0, {"first_day": "2025-12-01"}, "curves:2: curve", "no day with a weight"),
    ("rates", 0, {"currency": "EURO"}, "rates:2: currency", "did you mean 'EUR'"),
    ("counting", 0, {"reason": "because"}, "counting:2: reason", "expected one of test_record"),
]  # fmt: skip


@pytest.mark.parametrize(("sheet", "row", "cells", "where", "told"), STRUCTURAL)
def test_what_is_no_plan_is_named_by_its_place(
    sheet: str, row: int | None, cells: dict[str, str] | None, where: str, told: str
) -> None:
    sheets = plans.small_sheets()
    if cells is None:
        sheets[sheet] = []
    elif row is None:
        sheets[sheet].append(cells)
    else:
        sheets[sheet][row] |= cells
    with pytest.raises(PlanError) as error:
        plans.plan_of(sheets)
    found = [(problem.where, problem.message) for problem in error.value.problems]
    assert any(where == place and told in message for place, message in found), found


def test_all_problems_are_told_at_once_in_the_order_of_the_sheets() -> None:
    sheets = plans.small_sheets()
    sheets["targets"][0] |= {"leads": "many", "mqls": "few"}
    sheets["plan"][0]["value"] = ""
    with pytest.raises(PlanError) as error:
        plans.plan_of(sheets)
    assert [problem.where for problem in error.value.problems] == [
        "plan:2: value",
        "targets:2: leads",
        "targets:2: mqls",
    ]
    assert len(str(error.value).splitlines()) == 3


# --- The folder ----------------------------------------------------------------------------------


def test_a_folder_holds_the_plan(tmp_path: Path) -> None:
    plan = plans.small_plan()
    write_plan(plan, tmp_path / "draft")
    assert {path.name for path in (tmp_path / "draft").iterdir()} == set(map(file_name, SHEETS))
    assert (tmp_path / "draft" / "targets.csv").read_bytes() == sheet_bytes(plan, "targets")
    assert [path.name for path in tmp_path.iterdir()] == ["draft"]
    assert read_plan(tmp_path / "draft") == plan


@settings(max_examples=40)
@given(plan=plans.plans(most_rows=3))
def test_the_sheets_bytes_are_the_plan(plan: Plan) -> None:
    contents = {name: sheet_bytes(plan, name) for name in SHEETS}
    again = plan_of(contents, Path("draft"))
    assert again == plan
    assert {name: sheet_bytes(again, name) for name in SHEETS} == contents


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    write_plan(plans.small_plan(), tmp_path)
    sheets = plans.small_sheets() | {"rates": []}
    write_plan(plans.plan_of(sheets), tmp_path)
    assert (tmp_path / "rates.csv").read_text() == "currency,rate\n"


@pytest.mark.parametrize(("name", "told"), [("lock.json", "a locked version"), ("x.txt", "x.txt")])
def test_a_folder_that_is_no_draft_is_not_written(tmp_path: Path, name: str, told: str) -> None:
    write_plan(plans.small_plan(), tmp_path)
    (tmp_path / name).touch()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(PlanError, match=told):
        write_plan(plans.plan_of(plans.small_sheets() | {"rates": []}), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "change", "place", "told"),
    [
        ("targets.csv", lambda text: None, "targets.csv", "found no file"),
        ("target.csv", lambda text: b"", "target.csv", "did you mean 'targets.csv'"),
        ("targets.csv", lambda text: text.replace(b"1234.56", b"12,34"), "targets.csv:4", "quote"),
        ("targets.csv", lambda text: text.replace(b"1234.56", b"x"), "targets.csv:4: column budget",
         "expected a number"),
        ("targets.csv", lambda text: text.replace(b"budget", b"bugdet"), "targets.csv:1",
         "did you mean 'budget'"),
        ("targets.csv", lambda text: text.replace(b"period", b"budget"), "targets.csv:1",
         "found a column twice"),
        ("people.csv", lambda text: text.replace(b"Mia", b"M\xedia"), "people.csv:2", "no UTF-8"),
        ("rates.csv", lambda text: text + b'GBP,"1', "rates.csv:3", "no CSV"),
        ("rates.csv", lambda text: b"currency\nEUR\n", "rates.csv:1", "no column 'rate'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_named_by_line_and_column(
    tmp_path: Path, name: str, change: Any, place: str, told: str
) -> None:
    write_plan(plans.small_plan(), tmp_path)
    path = tmp_path / name
    changed = change(path.read_bytes() if path.exists() else b"")
    if changed is None:
        path.unlink()
    else:
        path.write_bytes(changed)
    with pytest.raises(PlanError) as error:
        read_plan(tmp_path)
    found = {problem.where: problem.message for problem in error.value.problems}
    assert str(tmp_path / place) in found, found
    assert told in found[str(tmp_path / place)]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="found no folder"):
        read_plan(tmp_path / "draft")


def test_a_byte_order_mark_and_crlf_are_read(tmp_path: Path) -> None:
    write_plan(plans.small_plan(), tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_plan(tmp_path) == plans.small_plan()


def test_versions_are_found_by_number(tmp_path: Path) -> None:
    for name in ("v2", "v10", "v1", "v01", "v0", "draft", "v3x"):
        (tmp_path / name).mkdir()
    (tmp_path / "v4").touch()
    assert [*versions(tmp_path)] == [1, 2, 10]
    assert versions(tmp_path / "none") == {}


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(0, 400))
def test_weights_name_every_day_once(first: date, days: int) -> None:
    found = calendar.weights([], [], first, first + timedelta(days=days))[calendar.STANDARD]
    assert len(found) == days
