"""The company's days: fiscal periods by their published definitions, days that are not 24 hours."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import available_timezones

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration.lib.landing.calendar import (
    COLUMNS,
    FIRST_DAY,
    LAST_DAY,
    Fiscal,
    calendar_days,
    fiscal,
    month_edges,
)
from orchestration.lib.plan.folder import read_plan
from orchestration.lib.sources.config import WEEKDAYS, SourcesError, load_sources
from orchestration.settings import SEEDS

NAMES = [name for name, _ in COLUMNS]
HEAD = """
version: 1
company:
  name: Any company
  reporting_currency: EUR
  time_zone: Europe/Berlin
"""
TAIL = "sources: {crm: {adapter: canonical, path: data}}\n"


def day_of(calendar: Fiscal, day: date, zone: str = "UTC") -> dict[str, date | datetime]:
    """The row of one day."""
    for row in calendar_days(calendar, zone):
        if row[0] == day:
            return dict(zip(NAMES, row, strict=True))
    raise KeyError(day)


def company(tmp_path: Path, settings_of_calendar: str = "", plan: str = "") -> Fiscal:
    """The calendar of a company with these lines in its sources.yml."""
    path = tmp_path / "sources.yml"
    path.write_text(HEAD + settings_of_calendar + plan + TAIL)
    return fiscal(load_sources(path).company)


def test_the_calendars_own_periods_are_the_default(tmp_path: Path) -> None:
    row = day_of(company(tmp_path), date(2026, 5, 17))
    assert (row["week_start"], row["week_end"]) == (date(2026, 5, 11), date(2026, 5, 18))
    assert (row["month_start"], row["month_end"]) == (date(2026, 5, 1), date(2026, 6, 1))
    assert (row["quarter_start"], row["quarter_end"]) == (date(2026, 4, 1), date(2026, 7, 1))
    assert (row["year_start"], row["year_end"]) == (date(2026, 1, 1), date(2027, 1, 1))


def test_a_fiscal_year_may_begin_in_any_month_and_a_week_on_any_day(tmp_path: Path) -> None:
    lines = "  calendar: {week_starts: sunday, fiscal_year_starts: 2020-02-01}\n"
    row = day_of(company(tmp_path, lines), date(2026, 1, 31))
    assert row["week_start"] == date(2026, 1, 25)
    assert (row["quarter_start"], row["quarter_end"]) == (date(2025, 11, 1), date(2026, 2, 1))
    assert (row["year_start"], row["year_end"]) == (date(2025, 2, 1), date(2026, 2, 1))


def test_a_year_of_weeks_is_that_of_the_retail_federation(tmp_path: Path) -> None:
    """The 4-5-4 calendar of the US retailers: 53 weeks in 2012, 2017 and 2023."""
    lines = "  calendar: {week_starts: sunday, fiscal_year_starts: 2026-02-01, months: 4-5-4}\n"
    edges = month_edges(company(tmp_path, lines))
    years = edges[::12]
    for start in (
        date(2012, 1, 29), date(2013, 2, 3), date(2017, 1, 29), date(2018, 2, 4),
        date(2023, 1, 29), date(2024, 2, 4), date(2025, 2, 2), date(2026, 2, 1),
    ):  # fmt: skip
        assert start in years
    weeks = {(end - start).days for start, end in pairwise(years)}
    assert weeks == {52 * 7, 53 * 7}
    of_2023 = edges[edges.index(date(2023, 1, 29)) :][:13]
    assert [(b - a).days // 7 for a, b in pairwise(of_2023)] == [4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 5, 5]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("fiscal_year_starts: 2026-02-02", "found 2026-02-02, expected the first day of a month"),
        (
            "fiscal_year_starts: 2026-02-02, months: 4-4-5, week_starts: sunday",
            "found 2026-02-02, a monday; with `months: 4-4-5` a year begins with a week",
        ),
        ("week_starts: sonntag", "week_starts"),
        ("months: 5-5-3", "months"),
    ],
)
def test_an_impossible_calendar_is_refused_at_its_line(
    tmp_path: Path, lines: str, message: str
) -> None:
    with pytest.raises(SourcesError) as caught:
        company(tmp_path, f"  calendar: {{{lines}}}\n")
    assert message in str(caught.value)
    assert "sources.yml:7: company.calendar" in str(caught.value)


def test_with_a_plan_the_fiscal_year_is_the_plans(tmp_path: Path) -> None:
    (tmp_path / "plan").mkdir()
    company(tmp_path, "  calendar: {week_starts: sunday}\n", "  plan: plan\n")
    with pytest.raises(SourcesError, match="the fiscal year is the one of its sheet `plan`"):
        company(tmp_path, "  calendar: {fiscal_year_starts: 2026-07-01}\n", "  plan: plan\n")


def test_the_years_that_the_plan_cuts_stand_as_they_are() -> None:
    plan = read_plan(SEEDS / "plan" / "v1")
    sources = load_sources(SEEDS / "sample" / "sources.yml")
    cut = fiscal(sources.company, plan)
    assert cut.years[0] == plan.settings["fiscal_year_first_day"]
    # A year of 53 weeks where the rule would have 52: what the plan says counts.
    odd = Fiscal("monday", "4-4-5", (date(2025, 12, 29), date(2027, 1, 4)))
    edges = month_edges(odd)
    assert edges[edges.index(date(2025, 12, 29)) + 12] == date(2027, 1, 4)
    assert (edges[edges.index(date(2027, 1, 4)) + 12] - date(2027, 1, 4)).days in (364, 371)


ZONES = sorted(available_timezones() - {"localtime"})
CALENDARS = st.builds(
    lambda start, months: Fiscal(
        WEEKDAYS[start.weekday()],
        months,
        (start.replace(day=1) if months == "calendar" else start,),
    ),
    st.dates(date(2000, 1, 1), date(2040, 12, 31)),
    st.sampled_from(["calendar", "4-4-5", "4-5-4", "5-4-4"]),
)


@settings(max_examples=10)
@given(CALENDARS, st.sampled_from(ZONES))
@example(Fiscal("thursday", "4-4-5", (date(2024, 2, 29),)), "Australia/Lord_Howe")
@example(Fiscal("monday", "calendar", (date(2026, 1, 1),)), "America/Sao_Paulo")
def test_every_day_is_in_one_period_of_each_kind(calendar: Fiscal, zone: str) -> None:
    rows = [dict(zip(NAMES, row, strict=True)) for row in calendar_days(calendar, zone)]
    assert [rows[0]["day"], rows[-1]["day"]] == [FIRST_DAY, LAST_DAY]
    for kind in ("week", "month", "quarter", "year"):
        spans = sorted({(row[f"{kind}_start"], row[f"{kind}_end"]) for row in rows})
        assert all(end == start for (_, end), (start, _) in pairwise(spans))
    for row in rows:
        for kind in ("week", "month", "quarter", "year"):
            assert row[f"{kind}_start"] <= row["day"] < row[f"{kind}_end"]
        assert row["quarter_start"] <= row["month_start"]
        assert row["month_end"] <= row["quarter_end"] <= row["year_end"]
    assert all(one["ends_at"] == two["starts_at"] for one, two in pairwise(rows))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Asia/Kolkata", date(2026, 4, 5), 24),
        # No midnight: the day begins at one o'clock.
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
    ],
)
def test_a_day_is_as_long_as_its_clock_says(zone: str, day: date, hours: float) -> None:
    row = day_of(Fiscal("monday", "calendar", (date(2026, 1, 1),)), day, zone)
    starts_at, ends_at = row["starts_at"], row["ends_at"]
    assert isinstance(starts_at, datetime)
    assert isinstance(ends_at, datetime)
    assert (ends_at - starts_at) / timedelta(hours=1) == hours


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Chatham", "UTC"]
)
def test_the_warehouse_and_the_calendar_agree_on_where_a_day_begins(zone: str) -> None:
    """DuckDB's own time zones in macros/portable/time.sql, Python's here."""
    calendar = Fiscal("monday", "calendar", (date(2026, 1, 1),))
    rows = [
        (row[0], row[NAMES.index("starts_at")])
        for row in calendar_days(calendar, zone)
        if date(2000, 1, 1) <= row[0] < date(2037, 1, 1)  # type: ignore[operator]
    ]
    con = duckdb.connect()
    con.execute("create table days as select unnest($1) as day, unnest($2) as starts_at", [
        [day for day, _ in rows], [starts_at for _, starts_at in rows],
    ])  # fmt: skip
    wrong = con.execute(
        f"""
        select day from days
        where timezone('{zone}', timezone('UTC', starts_at))::date <> day
           or timezone('{zone}', timezone('UTC', starts_at - interval 1 second))::date <> day - 1
           or timezone('UTC', timezone('{zone}', day::timestamp)) <> starts_at
        """
    ).fetchall()
    assert wrong == []
