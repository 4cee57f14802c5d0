"""Fiscal calendars: the periods of a plan, how much each day of them weighs, and when it is worked.

Belongs here: months from any start, weeks in quarters of 13 (4-4-5 and its kin, with years of 53
weeks), pacing by weekday, holiday and season, business hours. A day here is a day in the company's
reporting zone; only business hours are told as instants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.lib.plan.sheets import WEEKDAYS

#: The curve of a KPI that names none; where a plan does not define it, every day weighs the same.
STANDARD = "standard"
#: The curve of the days that are worked, where the settings name none; Monday to Friday in a plan
#: that does not define it.
WORKING_DAYS = "working_days"
#: A plan of more years is a slip of the pen, and a day's weight is stored for each of its days.
MOST_YEARS = 10
WEEKS = {"4-4-5": (4, 4, 5), "4-5-4": (4, 5, 4), "5-4-4": (5, 4, 4)}


@dataclass(frozen=True)
class Period:
    """One period: `FY2026`, `FY2026-Q1` or `FY2026-M01`; `end` is the first day after it."""

    period: str
    kind: str
    parent: str | None
    fiscal_year: int
    start: date
    end: date


def periods(settings: Mapping[str, Any]) -> tuple[Period, ...]:
    """Every year, quarter and month of the plan's fiscal years, years first, by their start.

    `settings` are those of the sheet `plan`. A fiscal year bears the name that `fiscal_years` gives
    it; the first begins on `fiscal_year_first_day` and each other where the one before it ends.
    Raises ValueError, saying what to change, where the settings make no calendar.
    """
    try:
        return _periods(settings)
    except OverflowError as error:
        raise ValueError("fiscal_years: expected years that end before the year 9999") from error


def _periods(settings: Mapping[str, Any]) -> tuple[Period, ...]:
    names = _years(settings["fiscal_years"], "fiscal_years")
    long_years = set(_years(settings.get("years_of_53_weeks") or (), "years_of_53_weeks"))
    if len(names) > MOST_YEARS:
        raise ValueError(f"fiscal_years: found {len(names)}, expected at most {MOST_YEARS}")
    if any(later != earlier + 1 for earlier, later in pairwise(names)):
        raise ValueError(f"fiscal_years {names}: expected years in a row, such as 2026; 2027")
    if unknown := long_years - set(names):
        raise ValueError(f"years_of_53_weeks {sorted(unknown)}: not among the fiscal_years")
    start: date = settings["fiscal_year_first_day"]
    calendar = settings["calendar"]
    found: list[Period] = []
    for year in names:
        if calendar == "months":
            if start.day != 1:
                raise ValueError(
                    f"fiscal_year_first_day {start}: with calendar months expected the first of a"
                    " month"
                )
            if year in long_years:
                raise ValueError("years_of_53_weeks: only a calendar of weeks has any")
            edges = [months_later(start, months) for months in range(13)]
        else:
            edges = week_edges(start, WEEKS[calendar], is_long=year in long_years)
        found += _year(year, edges)
        start = edges[-1]
    order = {"year": 0, "quarter": 1, "month": 2}
    return tuple(sorted(found, key=lambda each: (order[each.kind], each.start)))


def weights(
    curves: Iterable[Mapping[str, Any]],
    special_days: Iterable[Mapping[str, Any]],
    first_day: date,
    end: date,
) -> dict[str, dict[date, int]]:
    """What each day from `first_day` up to, not including, `end` weighs on each curve.

    A weekday's weight times a percentage: 100, or that of the special days it falls in; a line of
    the curve's own beats one of all curves, and of equals the one furthest down counts.
    """
    shapes = {row["curve"]: [int(row[day]) for day in WEEKDAYS] for row in curves}
    shapes.setdefault(STANDARD, [1] * len(WEEKDAYS))
    days = [first_day + timedelta(days=number) for number in range((end - first_day).days)]
    specials = list(special_days)
    found: dict[str, dict[date, int]] = {}
    for curve, shape in shapes.items():
        percent: dict[date, int] = {}
        for owner in (None, curve):
            for row in specials:
                if row["curve"] == owner:
                    # Positions within `days`: what a line says of other days is of no account.
                    start = max((row["first_day"] - first_day).days, 0)
                    stop = ((row["last_day"] or row["first_day"]) - first_day).days + 1
                    for day in days[start : max(stop, 0)]:
                        percent[day] = row["weight_pct"]
        found[curve] = {day: shape[day.weekday()] * percent.get(day, 100) for day in days}
    return found


def business_days(
    settings: Mapping[str, Any],
    curves: Iterable[Mapping[str, Any]],
    special_days: Iterable[Mapping[str, Any]],
    first_day: date,
    end: date,
    zone: str,
) -> list[tuple[date, datetime, datetime]]:
    """When each day from `first_day` up to, not including, `end` is worked; nothing without hours.

    Instants are UTC without a zone, so the same hours of the clock are other instants in summer; a
    day that is not worked closes when it opens. An hour that the clock skips begins when it jumps.
    """
    hours = settings["business_hours"]
    if hours is None:
        return []
    shapes = [*curves]
    curve = settings["business_days"] or WORKING_DAYS
    if all(row["curve"] != curve for row in shapes):
        shapes.append({"curve": curve, **{day: number < 5 for number, day in enumerate(WEEKDAYS)}})
    opens, closes = minutes_of(hours.replace("-", ":").split(":"))
    place = ZoneInfo(zone)

    def instant(day: date, minutes: int) -> datetime:
        days, within = divmod(minutes, 24 * 60)
        wall_clock = datetime.combine(
            day + timedelta(days=days), time(within // 60, within % 60), place
        )
        return wall_clock.astimezone(UTC).replace(tzinfo=None)

    return [
        (day, instant(day, opens), instant(day, closes if weight else opens))
        for day, weight in weights(shapes, special_days, first_day, end)[curve].items()
    ]


def minutes_of(clock: Iterable[str]) -> tuple[int, int]:
    """Minutes after midnight of two times, told as hour, minute, hour, minute."""
    first_hour, first_minute, last_hour, last_minute = map(int, clock)
    return first_hour * 60 + first_minute, last_hour * 60 + last_minute


def _years(names: Iterable[str], key: str) -> list[int]:
    years = []
    for name in names:
        if not (name.isascii() and name.isdigit() and len(name) == 4):
            raise ValueError(f"{key}: found {name!r}, expected a year of four digits")
        years.append(int(name))
    return years


def _year(year: int, edges: list[date]) -> list[Period]:
    """A year, its quarters and its twelve months, given the months' thirteen edges."""
    name = f"FY{year}"
    found = [Period(name, "year", None, year, edges[0], edges[12])]
    for quarter in range(4):
        own = f"{name}-Q{quarter + 1}"
        found.append(Period(own, "quarter", name, year, edges[3 * quarter], edges[3 * quarter + 3]))
        found += [
            Period(f"{name}-M{month + 1:02d}", "month", own, year, edges[month], edges[month + 1])
            for month in range(3 * quarter, 3 * quarter + 3)
        ]
    return found


def months_later(day: date, months: int) -> date:
    """First day of the month so many months after (or before) that of `day`."""
    number = day.year * 12 + day.month - 1 + months
    if number // 12 > MAXYEAR:
        raise OverflowError
    return date(number // 12, number % 12 + 1, 1)


def week_edges(start: date, pattern: tuple[int, int, int], *, is_long: bool) -> list[date]:
    """Thirteen edges of a year's twelve periods, weeks by `pattern` (see WEEKS).

    The 53rd week, if there is one, belongs to the last period.
    """
    weeks = [*pattern * 4]
    weeks[-1] += is_long
    edges = [start]
    for count in weeks:
        edges.append(edges[-1] + timedelta(weeks=count))
    return edges
