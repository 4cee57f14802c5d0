"""A plan in memory: typed rows that know where they stood, and what is wrong with them.

Belongs here: reading cells as their column's kind, writing them in their one canonical form, and
what must hold for a plan to mean anything at all (known periods and scopes, no circle, no row
twice). Does not belong here: files (`folder`, `workbook`) and the laws (`expectations`), which
judge a plan that can be read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from orchestration.lib.explain import CURRENCIES
from orchestration.lib.plan import calendar
from orchestration.lib.plan.sheets import LEVELS, SETTINGS, SHEETS, Column, Sheet
from orchestration.lib.sources.config import did_you_mean

Value = str | Decimal | int | bool | date | tuple[str, ...] | None
#: How a place is told: sheet, row number (None: the sheet), column (None: the row).
Locate = Callable[[str, int | None, str | None], str]

#: In lower case, and in words.
_PATTERNS = {
    "slug": (re.compile(r"[a-z0-9][a-z0-9._-]*"), "a short name of letters, digits, . _ -"),
    "key": (re.compile(r"[0-9a-f]{64}"), "64 hexadecimal digits (`tieout plan key`)"),
}
_HOURS = re.compile(r"([0-9]{1,2}):([0-5][0-9])\s*[-\u2013]\s*([0-9]{1,2}):([0-5][0-9])")
_DECIMAL = re.compile(r"[+-]?\d{1,18}(\.\d*)?")
#: Blanks that do not break: spreadsheets and web pages leave them, nobody sees them.
_BLANKS = str.maketrans(dict.fromkeys("\u00a0\u2007\u202f", " "))
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a plan; `where` is a sheet's cell, or a file's line and column."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class PlanError(ValueError):
    """The plan cannot be read; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(frozen=True)
class Row:
    """One row: its number where it stood (1 is the heading), and a value for every column."""

    number: int
    cells: Mapping[str, Value]

    def __getitem__(self, column: str) -> Value:
        return self.cells[column]


@dataclass(frozen=True)
class Plan:
    """The rows of every sheet, in the order in which they stood. Equal if every cell is."""

    sheets: Mapping[str, tuple[Row, ...]]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.texts() == other.texts()

    __hash__ = None  # type: ignore[assignment]

    def rows(self, sheet: str) -> tuple[Row, ...]:
        """The rows of one sheet."""
        return self.sheets[sheet]

    @cached_property
    def settings(self) -> dict[str, Value]:
        """The sheet `plan`: every setting by its key, None where it was not given."""
        given = {str(row["key"]): row["value"] for row in self.rows("plan")}
        return {
            column.name: None
            if (text := given.get(column.name)) is None
            else parse(column, str(text))
            for column in SETTINGS
        }

    @cached_property
    def periods(self) -> dict[str, calendar.Period]:
        """The periods of the fiscal calendar, by their name."""
        return {period.period: period for period in calendar.periods(self.settings)}

    def texts(self) -> dict[str, list[dict[str, str]]]:
        """Every cell in its canonical form, sheet by sheet: what is stored, hashed and signed."""
        return {
            name: [
                {column.name: canonical(column, row[column.name]) for column in sheet.columns}
                for row in self.sheets[name]
            ]
            for name, sheet in SHEETS.items()
        }


class _CellError(ValueError):
    """What was found and what was expected, without the place."""


def parse(column: Column, text: str) -> Value:
    """The value of a cell; an empty one is None. Raises ValueError with found and expected."""
    text = unicodedata.normalize("NFC", text).translate(_BLANKS).strip()
    if not text:
        return None
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        raise _CellError(f"found {text!r}, expected one line without control characters")
    match column.kind:
        case "text":
            return text
        case "slug" | "key":
            return _matched(*_PATTERNS[column.kind], text)
        case "date":
            return _date(text)
        case "integer" | "decimal":
            return _number(column, text)
        case "boolean":
            if text.lower() not in _YES:
                raise _CellError(f"found {text!r}, expected yes or no")
            return _YES[text.lower()]
        case "choice":
            return _choice(column, text)
        case "list":
            return tuple(item.strip() for item in text.split(";") if item.strip()) or None
        case "scope":
            return _scope(text)
        case "hours":
            return _hours(text)


def canonical(column: Column, value: Value) -> str:
    """The one way a value is written: `parse` gives it back, and equal values are equal texts."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "; ".join(value)
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _matched(pattern: re.Pattern[str], expected: str, text: str) -> str:
    if not pattern.fullmatch(text.lower()):
        raise _CellError(f"found {text!r}, expected {expected}")
    return text.lower()


def _date(text: str) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        raise _CellError(f"found {text!r}, expected a date such as 2026-01-31") from error


def _number(column: Column, text: str) -> Value:
    noun = "a whole number" if column.kind == "integer" else "a number such as 1234.56"
    try:
        if not _DECIMAL.fullmatch(text):
            raise InvalidOperation
        number = Decimal(text)
    except InvalidOperation as error:
        raise _CellError(
            f"found {text!r}, expected {noun}, without separators, signs of currency or %"
        ) from error
    if column.kind == "integer" and number != number.to_integral_value():
        raise _CellError(f"found {text!r}, expected {noun}")
    if -int(number.normalize().as_tuple().exponent) > column.scale:
        raise _CellError(f"found {text!r}, expected at most {column.scale} digits after the point")
    low, high = column.minimum, column.maximum
    if column.is_above_minimum and number == low:
        raise _CellError(f"found {text!r}, expected more than {low}")
    if (low is not None and number < low) or (high is not None and number > high):
        limits = f"{low} to {high}" if high is not None else f"at least {low}"
        hint = "; a share of 40 % is written 0.4" if high == 1 else ""
        raise _CellError(f"found {text!r}, expected {limits}{hint}")
    # Minus zero is zero.
    return int(number) if column.kind == "integer" else (number or Decimal(0))


def _hours(text: str) -> str:
    """`09:00-17:00`; 24:00 is the day's end."""
    found = _HOURS.fullmatch(text)
    opens, closes = calendar.minutes_of(found.groups()) if found else (0, 0)
    if not opens < closes <= 24 * 60:
        raise _CellError(f"found {text!r}, expected hours of one day such as 09:00-17:00")
    return "-".join(f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in (opens, closes))


def _choice(column: Column, text: str) -> str:
    lowered = text.lower()
    if lowered in column.choices:
        return lowered
    near = did_you_mean(text, column.choices)
    hint = f"; did you mean {near!r}?" if near else ""
    raise _CellError(f"found {text!r}, expected one of {', '.join(column.choices)}{hint}")


def _scope(text: str) -> str:
    level, colon, name = text.partition(":")
    level, name = level.strip().lower(), name.strip()
    if (level == "company" and not colon) or (level in (*LEVELS[1:], "stretch") and colon and name):
        return f"{level}:{name}" if colon else level
    raise _CellError(
        f"found {text!r}, expected company, segment:…, channel:…, campaign:… or stretch:…"
    )


# --- Reading -------------------------------------------------------------------------------------

#: The cells of one sheet as texts: its rows' numbers, and the text of each column that is there.
Texts = Mapping[str, Sequence[tuple[int, Mapping[str, str]]]]


def read(texts: Texts, locate: Locate) -> Plan:
    """The plan that these texts make; raises PlanError with every problem, each with its place.

    A row all of whose cells are empty is no row; a setting without a value is none either, and the
    settings stand in the order of SETTINGS. A sheet that is missing is a problem if it must have a
    row, else it is empty. Unknown headings are ignored: `folder` and `workbook` check them.
    """
    problems: list[Problem] = []
    sheets: dict[str, tuple[Row, ...]] = {}
    for name, sheet in SHEETS.items():
        sheets[name] = tuple(
            _row(sheet, number, cells, locate, problems)
            for number, cells in texts.get(name, ())
            if any(text.strip() for text in cells.values())
        )
        if sheet.at_least_one_row and not sheets[name]:
            problems.append(
                Problem(locate(name, None, None), "found no row, expected at least one")
            )
        problems += _repeated(sheet, sheets[name], locate)
        if name == "plan":
            problems += _settings(sheets[name], locate)
    if not problems:
        sheets["plan"] = _in_order(sheets["plan"])
        problems += _meaning(Plan(sheets), locate)
    if problems:
        raise PlanError(problems)
    return Plan(sheets)


def _row(
    sheet: Sheet,
    number: int,
    cells: Mapping[str, str],
    locate: Locate,
    problems: list[Problem],
) -> Row:
    """A row with every cell typed; what cannot be read is a problem and None."""
    values: dict[str, Value] = {}
    for column in sheet.columns:
        values[column.name] = None
        try:
            values[column.name] = parse(column, cells.get(column.name, ""))
        except ValueError as error:
            problems.append(Problem(locate(sheet.name, number, column.name), str(error)))
        else:
            if column.required and values[column.name] is None:
                problems.append(
                    Problem(
                        locate(sheet.name, number, column.name),
                        f"found nothing, expected {column.help[:1].lower()}{column.help[1:]}",
                    )
                )
    return Row(number, values)


def _repeated(sheet: Sheet, rows: Iterable[Row], locate: Locate) -> list[Problem]:
    seen: dict[tuple[Value, ...], int] = {}
    problems = []
    for row in rows if sheet.key else ():
        key = tuple(row[name] for name in sheet.key)
        if None in key:
            continue
        if key in seen:
            told = ", ".join(str(part) for part in key)
            problems.append(
                Problem(
                    locate(sheet.name, row.number, sheet.key[0]),
                    f"found {told} again (first in row {seen[key]}), expected one row for each;"
                    " delete one",
                )
            )
        seen.setdefault(key, row.number)
    return problems


def _settings(rows: Iterable[Row], locate: Locate) -> list[Problem]:
    """The sheet `plan`: every value is of its key's kind, and what must be given is."""
    problems = []
    columns = {column.name: column for column in SETTINGS}
    given = set()
    numbers: dict[str, int] = {}
    for row in rows:
        column = columns.get(str(row["key"]))
        if column is None:
            continue
        numbers[column.name] = row.number
        try:
            if parse(column, str(row["value"] or "")) is not None:
                given.add(column.name)
            if column.name == "currency" and row["value"] is not None:
                demand_currency(str(row["value"]))
        except ValueError as error:
            problems.append(Problem(locate("plan", row.number, "value"), f"{column.name}: {error}"))
            given.add(column.name)
    problems += [
        Problem(
            locate("plan", numbers.get(column.name), "value" if column.name in numbers else None),
            f"found no value for {column.name!r}, expected {column.help[:1].lower()}"
            f"{column.help[1:]}",
        )
        for column in SETTINGS
        if column.required and column.name not in given
    ]
    return problems


def _in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The settings that have a value, in their one order, each value in its one form."""
    found = {str(row["key"]): row for row in rows}
    return tuple(
        Row(
            found[column.name].number,
            {"key": column.name, "value": canonical(column, parse(column, str(value)))},
        )
        for column in SETTINGS
        if column.name in found
        and (value := found[column.name]["value"]) is not None
        and parse(column, str(value)) is not None
    )


def demand_currency(code: str) -> None:
    """Raises ValueError for what is no currency of ISO 4217."""
    with CURRENCIES.open(encoding="utf-8") as file:
        known = [line.partition(",")[0] for line in file][1:]
    if code not in known:
        near = did_you_mean(code, known)
        hint = f"; did you mean {near!r}?" if near else ""
        raise _CellError(f"found {code!r}, expected an ISO 4217 code such as EUR{hint}")


def _meaning(plan: Plan, locate: Locate) -> list[Problem]:
    """What no single cell shows: names that lead nowhere, circles, days without weight."""
    try:
        periods = plan.periods
    except ValueError as error:
        # It begins with the setting that is to be changed.
        key = re.split(r"\W", str(error))[0]
        numbers = [row.number for row in plan.rows("plan") if row["key"] == key]
        where = locate("plan", numbers[0], "value") if numbers else locate("plan", None, None)
        return [Problem(where, str(error))]
    problems = _lead_nowhere(plan, periods, locate) + _rollup(plan, locate)
    problems += _unknown_business_days(plan, locate)
    for row in plan.rows("rates"):
        try:
            demand_currency(str(row["currency"]))
        except ValueError as error:
            problems.append(Problem(locate("rates", row.number, "currency"), str(error)))
    for row in plan.rows("special_days"):
        last = row["last_day"]
        if isinstance(last, date) and last < row["first_day"]:  # type: ignore[operator]
            problems.append(
                Problem(
                    locate("special_days", row.number, "last_day"),
                    f"found {last}, expected {row['first_day']} or later",
                )
            )
    return problems or _without_weight(plan, periods, locate)


def _lead_nowhere(
    plan: Plan, periods: Mapping[str, calendar.Period], locate: Locate
) -> list[Problem]:
    """References to a scope, period, person or curve that the plan does not have."""
    names: dict[str, dict[str, Any]] = {
        "scope": dict.fromkeys(str(row["scope"]) for row in plan.rows("scopes")),
        "parent": dict.fromkeys(str(row["scope"]) for row in plan.rows("scopes")),
        "period": dict.fromkeys(periods),
        "by": dict.fromkeys(str(row["person"]) for row in plan.rows("people")),
        "curve": dict.fromkeys(
            [calendar.STANDARD, *(str(row["curve"]) for row in plan.rows("curves"))]
        ),
    }
    nouns = {"scope": "scopes", "parent": "scopes", "by": "people", "curve": "curves"}
    problems = []
    for name, sheet in SHEETS.items():
        for column, known in names.items():
            if column not in sheet.column_names or (name, column) in (
                ("scopes", "scope"),
                ("curves", "curve"),
            ):
                continue
            for row in plan.rows(name):
                value = row[column]
                if value is None or value in known:
                    continue
                near = did_you_mean(str(value), tuple(known))
                hint = f"; did you mean {near!r}?" if near else ""
                where = (
                    f"expected a name from the sheet {nouns[column]}"
                    if column in nouns
                    else f"expected a period of the plan's calendar, such as {next(iter(known))}"
                )
                problems.append(
                    Problem(locate(name, row.number, column), f"found {value!r}, {where}{hint}")
                )
    return problems


def _unknown_business_days(plan: Plan, locate: Locate) -> list[Problem]:
    """The curve of the working days, which the settings name, is one of the plan."""
    wanted = plan.settings["business_days"]
    known = tuple(str(row["curve"]) for row in plan.rows("curves"))
    if wanted is None or wanted in known:
        return []
    near = did_you_mean(str(wanted), known)
    hint = f"; did you mean {near!r}?" if near else ""
    return [
        Problem(
            locate("plan", row.number, "value"),
            f"business_days: found {wanted!r}, expected a name from the sheet curves{hint}",
        )
        for row in plan.rows("plan")
        if row["key"] == "business_days"
    ]


def _rollup(plan: Plan, locate: Locate) -> list[Problem]:
    """Scopes form a tree below `company`: no circle, no orphan, levels as their names say."""
    rows = {str(row["scope"]): row for row in plan.rows("scopes")}
    problems = []
    for scope, row in rows.items():
        named = scope.partition(":")[0]
        if named not in ("stretch", row["level"]):
            problems.append(
                Problem(
                    locate("scopes", row.number, "level"),
                    f"found {row['level']!r}, expected {named!r}, as the scope {scope!r} says",
                )
            )
        if (row["parent"] is None) != (scope == "company"):
            problems.append(
                Problem(
                    locate("scopes", row.number, "parent"),
                    "found a parent, expected none: company is the top"
                    if scope == "company"
                    else "found nothing, expected the scope that this one adds up to",
                )
            )
        path = [scope]
        while (parent := rows[path[-1]]["parent"]) is not None and str(parent) in rows:
            if parent in path:
                circle = " → ".join([*path, str(parent)])
                problems.append(
                    Problem(
                        locate("scopes", row.number, "parent"),
                        f"found the circular roll-up {circle}, expected a way up to company",
                    )
                )
                break
            path.append(str(parent))
    return problems


def _without_weight(
    plan: Plan, periods: Mapping[str, calendar.Period], locate: Locate
) -> list[Problem]:
    """A curve on which a whole period weighs nothing cannot pace it."""
    first = min(period.start for period in periods.values())
    end = max(period.end for period in periods.values())
    found = calendar.weights(
        [row.cells for row in plan.rows("curves")],
        [row.cells for row in plan.rows("special_days")],
        first,
        end,
    )
    numbers = {str(row["curve"]): row.number for row in plan.rows("curves")}
    problems = []
    for curve, days in found.items():
        # In the order of the days, from the first one on.
        values = list(days.values())
        empty = [
            period.period
            for period in periods.values()
            if not any(values[(period.start - first).days : (period.end - first).days])
        ]
        if empty:
            problems.append(
                Problem(
                    locate("curves", numbers.get(curve), "curve"),
                    f"found no day with a weight in {empty[0]} on the curve {curve!r}, expected at"
                    " least one; look at its weekdays and at the special days",
                )
            )
    return problems
