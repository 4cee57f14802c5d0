"""Plans for tests: any valid one, and a small one that a person could have written."""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from hypothesis import strategies as st

from orchestration.lib.plan.calendar import periods as periods_of
from orchestration.lib.plan.model import Plan, read
from orchestration.lib.plan.sheets import (
    DEPARTMENTS,
    REASONS,
    SETTINGS,
    SHEETS,
    WEEKDAYS,
    Column,
    metrics,
)

Rows = list[dict[str, str]]

#: What names and remarks are made of: quotes, markup, formulas, escapes, scripts of the world.
_PIECES = (
    *string.ascii_letters,
    *"0123456789 ,.'\"<>&=+-@#%/\\|()[]{}!?*~^$€",
    "ä", "é", "ñ", "e\u0301", "ß", "Ł", "Ω", "Ж", "א", "ع", "\u200f", "日", "本", "한", "🦊",
    "👩\u200d🚀", "_x0041_", "_x005F_", "=1+1", "\u00a0", "\ufffe", "]]>", "<!--", "&amp;", "NULL",
    "1e5", "007",
)  # fmt: skip


def plan_of(sheets: dict[str, Rows]) -> Plan:
    """The plan with these cells; a place is `sheet:row: column`."""
    return read(
        {name: list(enumerate(rows, 2)) for name, rows in sheets.items()},
        lambda sheet, row, column: f"{sheet}:{row}: {column}",
    )


def small_sheets() -> dict[str, Rows]:
    """A plan for half a year that multiplies out, with something in every sheet."""
    settings = {
        "company": "Example Ltd",
        "title": "Plan FY2026",
        "currency": "USD",
        "effective_from": "2026-01-01",
        "calendar": "months",
        "fiscal_year_first_day": "2026-01-01",
        "fiscal_years": "2026",
        "funnel_tolerance_pct": "1",
        "commitment_threshold": "1000",
        "qualified_exclude_test": "yes",
    }
    first = {"period": "FY2026-Q1", "scope": "company"}
    people = {"mia": "marketing", "sam": "sales", "fay": "finance", "rob": "revops"}
    funnel = {
        "budget": "50000",
        "cost_per_lead": "20",
        "leads": "2500",
        "rate_lead_mql": "0.2",
        "mqls": "500",
        "rate_mql_sal": "0.4",
        "sals": "200",
        "rate_sal_sql": "0.5",
        "sqls": "100",
        "rate_sql_opportunity": "0.4",
        "opportunities": "40",
        "acv": "50000",
        "pipeline": "2000000",
        "rate_opportunity_won": "0.25",
        "wins": "10",
        "bookings": "500000",
        "cycle_days": "90",
    }
    return {
        "plan": [{"key": key, "value": value} for key, value in settings.items()],
        "people": [
            {"person": name, "name": name.title(), "department": department, "signs": "yes"}
            for name, department in people.items()
        ],
        "scopes": [
            {"scope": "company", "level": "company"},
            {"scope": "channel:search", "level": "channel", "parent": "company"},
            {"scope": "campaign:brand", "level": "campaign", "parent": "channel:search"},
        ],
        "stages": [{"stage": "mql", "definition": "Scored 50 or more", "counts": "first"}],
        "kpis": [
            {"metric": name, "owner": "mia", "tolerance_pct": "10", "cadence_days": "7"}
            for name in metrics()
        ],
        "targets": [
            first | funnel,
            {"period": "FY2026-Q2", "scope": "company", **funnel},
            {"period": "FY2026-M01", "scope": "channel:search", "budget": "1234.56"},
        ],
        "promises": [
            {"department": "marketing", "metric": "mqls", "value": "500", "by": "mia", **first},
            {"department": "sales", "metric": "pipeline", "value": "2000000", "by": "sam"} | first,
        ],
        "capacity": [{"reps": "4", "leads_per_rep": "60", **first}],
        "curves": [
            {"curve": "standard", **dict.fromkeys(WEEKDAYS, "1")},
            {"curve": "working_days", **dict.fromkeys(WEEKDAYS, "1"), "sat": "0", "sun": "0"},
        ],
        "special_days": [
            {"first_day": "2026-12-24", "last_day": "2026-12-26", "weight_pct": "0"},
        ],
        "rates": [{"currency": "EUR", "rate": "1.085"}],
        "counting": [{"department": "marketing", "metric": "mqls", "reason": "test_record"}],
    }


def small_plan() -> Plan:
    """The plan of `small_sheets`."""
    return plan_of(small_sheets())


@st.composite
def plans(draw: Callable[..., object], most_rows: int = 5) -> Plan:
    """Any valid plan: calendars, scopes, names, lists, empty cells, decimals of nine digits.

    Shapes are drawn, so that a failure shrinks to few rows; cells are made from one drawn seed,
    because drawing each would take longer than what is tested.
    """
    random = Random(draw(st.integers(0, 2**32 - 1)))
    counts = {
        name: draw(st.integers(0, most_rows))
        for name in ("people", "scopes", "kpis", "targets", "promises", "special_days", "curves")
    }
    return plan_of(_Maker(random, counts).sheets())  # type: ignore[arg-type]


class _Maker:
    def __init__(self, random: Random, counts: dict[str, int]) -> None:
        self.random = random
        self.counts = counts

    def sheets(self) -> dict[str, Rows]:
        random, counts = self.random, self.counts
        self.people = self._slugs(counts["people"])
        self.curves = self._slugs(counts["curves"])
        settings, self.periods = self._settings()
        self.scopes, scope_rows = self._scopes(counts["scopes"])
        sheets: dict[str, Rows] = {
            "plan": [{"key": key, "value": value} for key, value in settings.items()],
            "people": [{"person": person} for person in self.people],
            "scopes": scope_rows,
            "stages": [
                {"stage": stage}
                for stage in random.sample(("lead", "mql", "sal", "sql"), random.randint(0, 4))
            ],
            "kpis": [{"metric": random.choice(metrics())} for _ in range(counts["kpis"])],
            "targets": self._keyed(max(1, counts["targets"])),
            "promises": [
                {"department": random.choice(DEPARTMENTS), "metric": "mqls", **key}
                for key in self._keyed(counts["promises"])
            ],
            "capacity": self._keyed(random.randint(0, 2)),
            "curves": [
                # A Monday has a weight, so that no period is without any.
                {"curve": curve, "mon": str(random.randint(1, 1000))}
                for curve in self.curves
            ],
            "special_days": [self._special_day() for _ in range(counts["special_days"])],
            "rates": [{"currency": code} for code in random.sample(("EUR", "GBP", "JPY"), 2)],
            "counting": [
                {"department": department, "metric": "mqls", "reason": random.choice(REASONS)}
                for department in random.sample(DEPARTMENTS, 2)
            ],
        }
        for name, rows in sheets.items():
            if name not in ("plan", "scopes"):
                for row in rows:
                    self._fill(SHEETS[name].columns, row)
        return sheets

    def _settings(self) -> tuple[dict[str, str], list[str]]:
        random = self.random
        calendar = random.choice(("months", "4-4-5", "4-5-4", "5-4-4"))
        first = date(random.randint(1990, 2090), random.randint(1, 12), 1)
        if calendar != "months":
            first += timedelta(days=random.randint(0, 27))
        years = [str(first.year + number) for number in range(random.randint(1, 3))]
        settings = {
            "company": self.text(),
            "title": self.text(),
            "currency": random.choice(("USD", "EUR", "JPY", "KWD")),
            "effective_from": str(first + timedelta(days=random.randint(0, 40))),
            "calendar": calendar,
            "fiscal_year_first_day": str(first),
            "fiscal_years": "; ".join(years),
        }
        if calendar != "months" and random.random() < 0.5:
            settings["years_of_53_weeks"] = random.choice(years)
        for setting in (c for c in _optional_settings() if random.random() < 0.5):
            settings[setting.name] = self.value(setting)
        periods = periods_of(
            {
                "calendar": calendar,
                "fiscal_year_first_day": first,
                "fiscal_years": tuple(years),
                "years_of_53_weeks": (settings.get("years_of_53_weeks"),)
                if "years_of_53_weeks" in settings
                else (),
            }
        )
        # In any order: the settings' order means nothing.
        keys = random.sample(list(settings), len(settings))
        return {key: settings[key] for key in keys}, [period.period for period in periods]

    def _scopes(self, count: int) -> tuple[list[str], Rows]:
        """A tree below the company, in any order."""
        random = self.random
        rows = [{"scope": "company", "level": "company"}]
        names = ["company"]
        for number in range(count):
            level = random.choice(("segment", "channel", "campaign"))
            kind = "stretch" if random.random() < 0.2 else level
            name = f"{kind}:{self.text()}{number}"
            rows.append({"scope": name, "level": level, "parent": random.choice(names)})
            if random.random() < 0.4:
                rows[-1]["sources"] = self._list()
            if random.random() < 0.4:
                rows[-1]["note"] = self.text()
            names.append(name)
        return names, random.sample(rows, len(rows))

    def _keyed(self, count: int) -> Rows:
        keys = {(self.random.choice(self.periods), self.random.choice(self.scopes)): None
                for _ in range(count)}  # fmt: skip
        return [{"period": period, "scope": scope} for period, scope in keys]

    def _special_day(self) -> dict[str, str]:
        first = date(self.random.randint(1850, 2100), 1, 1) + timedelta(self.random.randint(0, 364))
        row = {"first_day": str(first), "weight_pct": str(self.random.randint(0, 1000))}
        if self.random.random() < 0.5:
            row["last_day"] = str(first + timedelta(self.random.randint(0, 5)))
        return row

    def _fill(self, columns: tuple[Column, ...], row: dict[str, str]) -> None:
        for column in columns:
            if column.name not in row and (column.required or self.random.random() < 0.6):
                row[column.name] = self.value(column)

    def value(self, column: Column) -> str:
        """Any text that the column takes."""
        random = self.random
        by_name = {
            "period": lambda: random.choice(self.periods),
            "scope": lambda: random.choice(self.scopes),
            "owner": lambda: random.choice(self.people or [""]),
            "by": lambda: random.choice(self.people or [""]),
            "curve": lambda: random.choice([*self.curves, "standard", ""]),
            "last_day": lambda: "",
            "business_days": lambda: random.choice([*self.curves, ""]),
        }
        if column.name in by_name:
            return by_name[column.name]()
        match column.kind:
            case "decimal":
                return self.decimal(column)
            case "integer":
                low = -(10**17) if column.minimum is None else column.minimum
                return str(
                    random.randint(low, 10**17 if column.maximum is None else column.maximum)
                )
            case "choice":
                return random.choice(column.choices)
            case "boolean":
                return random.choice(("yes", "no", "TRUE", "0"))
            case "key":
                return random.randbytes(32).hex()
            case "list":
                return self._list()
            case "hours":
                return f"{random.randint(0, 11)}:{random.randint(0, 59):02d}-12:30"
            case _:
                return self.text()

    def decimal(self, column: Column) -> str:
        """From none to nine digits after the point, from zero to eighteen before it."""
        random = self.random
        digits = random.randint(0, 9)
        if column.maximum is not None:
            number = random.randint(0, column.maximum * 10**digits)
        else:
            number = random.randrange(10 ** random.randint(1, 18 + digits))
        number += column.is_above_minimum and number == 0
        text = str(number).rjust(digits + 1, "0")
        return f"{text[:-digits]}.{text[-digits:]}" if digits else text

    def text(self) -> str:
        """One line that is not empty."""
        count = self.random.randint(1, 6)
        return "x" + "".join(self.random.choices(_PIECES, k=count)) + "."

    def _list(self) -> str:
        return "; ".join(self.text().replace(";", "") for _ in range(self.random.randint(1, 3)))

    def _slugs(self, count: int) -> list[str]:
        return [f"{self.random.choice('abc09')}{number}._-" for number in range(count)]


def _optional_settings() -> list[Column]:
    return [c for c in SETTINGS if not c.required and c.name != "years_of_53_weeks"]
