"""The days of a company: to which week, month, quarter and year each belongs, and when it begins.

Every model takes the periods of a day from this table and computes none: fiscal years, weeks in
quarters of 13, the first day of the week and days of 23 or 25 hours have one home. Does not belong
here: how a plan cuts its fiscal years (`orchestration.lib.plan.calendar`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from orchestration.lib.plan.calendar import WEEKS, months_later, periods, week_edges
from orchestration.lib.plan.model import Plan
from orchestration.lib.sources.config import WEEKDAYS, Company

#: Days outside are in no table; the models then take the calendar's own month for them.
FIRST_DAY = date(1990, 1, 1)
LAST_DAY = date(2069, 12, 31)

COLUMNS: tuple[tuple[str, str], ...] = (
    ("day", "date"),
    ("week_start", "date"), ("week_end", "date"),
    ("month_start", "date"), ("month_end", "date"),
    ("quarter_start", "date"), ("quarter_end", "date"),
    ("year_start", "date"), ("year_end", "date"),
    ("starts_at", "timestamp"), ("ends_at", "timestamp"),
)  # fmt: skip

Row = tuple[date | datetime, ...]


@dataclass(frozen=True)
class Fiscal:
    """How a company's days make periods; `years` are fiscal years that the plan itself cuts."""

    week_starts: str
    months: str
    #: First days of consecutive fiscal years, and the first day after the last of them; at least
    #: one. Years before and after follow the same rule.
    years: tuple[date, ...]


def fiscal(company: Company, plan: Plan | None = None) -> Fiscal:
    """The calendar of a company: that of its plan, where it has one."""
    own = company.calendar
    if plan is None:
        return Fiscal(own.week_starts, own.months, (own.fiscal_year_starts,))
    years = [each for each in periods(plan.settings) if each.kind == "year"]
    cut = str(plan.settings["calendar"])
    return Fiscal(
        own.week_starts,
        "calendar" if cut == "months" else cut,
        (*(each.start for each in years), years[-1].end),
    )


def calendar_days(calendar: Fiscal, zone: str) -> Iterator[Row]:
    """One row a day from FIRST_DAY to LAST_DAY, in the order of COLUMNS.

    Ends are the first day (or, in `ends_at`, the first instant) that no longer belongs; instants
    are UTC without a zone, so a day is 23, 24 or 25 hours long.
    """
    months = month_edges(calendar)
    weekday = WEEKDAYS.index(calendar.week_starts)
    midnights = _midnights(zone)
    one_day = timedelta(days=1)
    for number in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + number * one_day
        week = day - ((day.weekday() - weekday) % 7) * one_day
        month = bisect_right(months, day) - 1
        quarter = month - month % 3
        year = month - month % 12
        yield (
            day, week, week + 7 * one_day, months[month], months[month + 1],
            months[quarter], months[quarter + 3], months[year], months[year + 12],
            midnights[number], midnights[number + 1],
        )  # fmt: skip


def month_edges(calendar: Fiscal) -> list[date]:
    """First days of all fiscal months, whole years long, from before FIRST_DAY to after LAST_DAY.

    A year of weeks that the plan does not cut begins on the first day of the week nearest to the
    anniversary of the nearest one that is known: so it has 52 weeks or, where the anniversary has
    run ahead by one, 53; the last month of the year has the odd week.
    """
    first, last = calendar.years[0], calendar.years[-1]
    starts = [
        *(_anniversary(calendar, first, year) for year in range(FIRST_DAY.year - 2, first.year)),
        *calendar.years,
        *(_anniversary(calendar, last, y) for y in range(last.year + 1, LAST_DAY.year + 3)),
    ]
    edges: list[date] = []
    for start in starts:
        if calendar.months == "calendar":
            edges += [months_later(start, number) for number in range(12)]
        else:
            edges += week_edges(start, WEEKS[calendar.months], is_long=False)[:-1]
    return edges


def _anniversary(calendar: Fiscal, anchor: date, year: int) -> date:
    """Where the fiscal year that goes with `anchor` begins in another calendar year."""
    # Of a year that begins on 29 February it is the 28th.
    leap = (anchor.month, anchor.day) == (2, 29)
    day = date(year, anchor.month, 28 if leap else anchor.day)
    if calendar.months == "calendar":
        return day
    off = (day - anchor).days % 7
    return day - timedelta(days=off) + timedelta(weeks=off > 3)


def _midnights(zone: str) -> list[datetime]:
    """The instant (UTC) at which each day begins, and one more."""
    place = ZoneInfo(zone)
    count = (LAST_DAY - FIRST_DAY).days + 2
    return [
        datetime.combine(FIRST_DAY + timedelta(days=number), time(), place)
        .astimezone(UTC)
        .replace(tzinfo=None)
        for number in range(count)
    ]
