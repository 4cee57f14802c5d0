"""Targets from a plain CSV file, as planning tools and people export them, as a draft of a plan.

Belongs here: a wide file (a column for the period, one for each metric), its columns' names, and
the settings a draft needs besides. Does not belong here: a plan's own folder (`folder`), and what
the file does not say: owners, rates, promises stay empty for people to fill in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from orchestration.lib.plan.calendar import Period, periods
from orchestration.lib.plan.model import Plan, PlanError, Problem, read
from orchestration.lib.plan.sheets import SHEETS, metrics
from orchestration.lib.sources.config import did_you_mean

#: Written for a column's new name, it leaves the column out.
LEFT_OUT = "-"
_COMPANY = "company"


@dataclass(frozen=True)
class Draft:
    """What a draft needs that a file of targets does not say."""

    company: str
    currency: str
    fiscal_year: int
    calendar: str
    first_day: date
    effective_from: date
    #: Scope of rows that name none.
    scope: str = _COMPANY

    @property
    def settings(self) -> dict[str, str]:
        """The sheet `plan`, as texts."""
        return {
            "company": self.company,
            "title": f"{self.company} FY{self.fiscal_year}",
            "currency": self.currency,
            "effective_from": self.effective_from.isoformat(),
            "calendar": self.calendar,
            "fiscal_year_first_day": self.first_day.isoformat(),
            "fiscal_years": str(self.fiscal_year),
        }

    def periods(self) -> tuple[Period, ...]:
        """The fiscal year's periods; raises ValueError where the settings make no calendar."""
        return periods(
            {
                "fiscal_years": (str(self.fiscal_year),),
                "fiscal_year_first_day": self.first_day,
                "calendar": self.calendar,
            }
        )


def read_targets(path: Path, draft: Draft, renames: Mapping[str, str]) -> Plan:
    """The plan that a file of targets and these settings make.

    `renames`: a column's name in the file → `period`, `scope`, a metric, or `-` to leave it out. A
    period is a name of the calendar or the first day of a period; where periods of several kinds
    begin that day, a column called year, quarter or month says which. Raises PlanError with file,
    line and column of everything wrong.
    """
    problems: list[Problem] = []
    heading, lines = _lines(path)
    columns = _columns(path, heading, renames, problems)
    if problems:
        raise PlanError(problems)
    kind = next((h.lower() for h, name in columns.items() if name == "period"), "")
    known = draft.periods()
    rows: list[tuple[int, dict[str, str]]] = []
    for number, cells in lines:
        if len(cells) > len(heading):
            problems.append(
                Problem(
                    f"{path}:{number}",
                    f"found {len(cells)} cells, expected {len(heading)};"
                    " quote a cell that holds a comma",
                )
            )
        named = dict(zip(heading, cells, strict=False))
        row = {name: named.get(old, "") for old, name in columns.items()}
        if not any(text.strip() for text in row.values()):
            continue
        try:
            row["period"] = _period(row["period"].strip(), known, kind)
        except ValueError as error:
            problems.append(Problem(_where(path, number, "period", columns), str(error)))
        row["scope"] = row.get("scope", "").strip() or draft.scope
        rows.append((number, row))
    if problems:
        raise PlanError(problems)
    scopes = dict.fromkeys([_COMPANY, *(row["scope"] for _, row in rows)])
    return read(
        {
            "plan": [
                (number, {"key": key, "value": value})
                for number, (key, value) in enumerate(draft.settings.items(), 2)
            ],
            "scopes": [(number, _scope(scope)) for number, scope in enumerate(scopes, 2)],
            "targets": rows,
        },
        lambda sheet, row, column: (
            _where(path, row, column, columns)
            if sheet == "targets"
            else f"{SHEETS[sheet].title} of the draft"
        ),
    )


def _lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The heading, and the other rows with their line's number."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PlanError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise PlanError(
            [Problem(str(path), "found bytes that are no UTF-8; save it as UTF-8")]
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heading = [name.strip() for name in next(reader, [])]
        return heading, [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise PlanError([Problem(f"{path}:{reader.line_num}", f"found no CSV: {error}")]) from error


def _columns(
    path: Path, heading: Sequence[str], renames: Mapping[str, str], problems: list[Problem]
) -> dict[str, str]:
    """From the file's headings to a plan's names, without those that are left out."""
    known = ("period", "scope", *metrics())
    where = f"{path}:1"
    problems += [
        Problem(where, f"found no column {old!r} to rename; there are: {', '.join(heading)}")
        for old in renames
        if old not in heading
    ]
    columns: dict[str, str] = {}
    for old in heading:
        new = renames.get(old, old).lower()
        if new == LEFT_OUT:
            continue
        if new in columns.values():
            problems.append(Problem(where, f"found two columns for {new!r}, expected one"))
        elif new in known:
            columns[old] = new
        else:
            near = did_you_mean(new, known)
            hint = f"; did you mean {near!r}?" if near else ""
            problems.append(
                Problem(
                    where,
                    f"found the column {new!r}, which is no metric{hint} (--rename {old}=NAME, or"
                    f" --rename {old}={LEFT_OUT} to leave it out)",
                )
            )
    if "period" not in columns.values():
        told = ", separated by commas" if any(";" in old or "\t" in old for old in heading) else ""
        problems.append(
            Problem(where, f"found no column for the period{told} (--rename NAME=period)")
        )
    return columns


def _period(text: str, known: Sequence[Period], kind: str) -> str:
    """The name of a period, given its name or its first day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        # `model` says of a name whether the calendar has it.
        return text
    found = [period for period in known if period.start == day]
    of_kind = [period for period in found if period.kind == kind]
    if not found:
        raise ValueError(
            f"found {text}, expected the first day of a period of"
            f" FY{known[0].fiscal_year}, which begins on {known[0].start}"
        )
    if len(of_kind or found) > 1:
        names = ", ".join(period.period for period in found)
        raise ValueError(
            f"found {text}, on which {names} begin; write the period's name, or call the column"
            " month, quarter or year"
        )
    return (of_kind or found)[0].period


def _scope(scope: str) -> dict[str, str]:
    level = scope.partition(":")[0].strip().lower()
    parent = "" if level == _COMPANY else _COMPANY
    return {"scope": scope, "level": level, "parent": parent}


def _where(path: Path, row: int | None, column: str | None, columns: Mapping[str, str]) -> str:
    place = str(path) if row is None else f"{path}:{row}"
    if column is None:
        return place
    names = [old for old, name in columns.items() if name == column]
    return f"{place}: column {names[0] if names else column}"
