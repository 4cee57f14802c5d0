"""What changes from one plan to another: told cell by cell, and made cell by cell.

Belongs here: comparing two plans, setting single cells of one. Does not belong here: files
(`folder`), locking what comes out (`locking`).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from orchestration.lib.plan.model import Plan, PlanError, Problem, canonical, parse, read
from orchestration.lib.plan.sheets import SETTINGS, SHEETS, Sheet
from orchestration.lib.sources.config import did_you_mean

#: What names a row for people in the sheets whose rows may repeat.
_NAMED_BY = {"kpis": ("metric", "scope"), "special_days": ("curve", "first_day")}

Texts = dict[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Change:
    """One cell that changed, or a row that came or went (`column` is None, its cells in `cells`).

    `key` names the row; `moved`: the sheet has the same rows in another order.
    """

    kind: Literal["changed", "added", "removed", "moved"]
    sheet: str
    key: tuple[str, ...]
    column: str | None = None
    before: str | None = None
    after: str | None = None
    cells: Mapping[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        place = f"{self.sheet}: {', '.join(self.key) or '(no key)'}"
        match self.kind:
            case "changed":
                before, after = self.before or "(empty)", self.after or "(empty)"
                return f"{place}: {self.column}: {before} → {after}"
            case "moved":
                return f"{self.sheet}: the same rows in another order"
            case kind:
                cells = "; ".join(f"{name}={text}" for name, text in (self.cells or {}).items())
                return f"{place}: row {kind}: {cells}"


def key_columns(sheet: Sheet) -> tuple[str, ...]:
    """The columns that name a row of the sheet."""
    return sheet.key or _NAMED_BY[sheet.name]


def differences(before: Plan, after: Plan) -> tuple[Change, ...]:
    """Everything that differs, sheet by sheet; none where the plans are equal."""
    ours, theirs = before.texts(), after.texts()
    found: list[Change] = []
    for name, sheet in SHEETS.items():
        changes = list(_of_sheet(sheet, ours[name], theirs[name]))
        if not changes and ours[name] != theirs[name]:
            changes = [Change("moved", name, ())]
        found += changes
    return tuple(found)


def amended(plan: Plan, changes: Iterable[str]) -> Plan:
    """The plan with single cells set, each told as `sheet:key,…:column=value`.

    In the sheet `plan` a setting is set by `plan:key=value`. An empty value empties the cell.
    Raises PlanError, with every problem, where a change names no cell or the plan cannot be read
    with it.
    """
    texts = plan.texts()
    problems: list[Problem] = []
    for change in changes:
        try:
            _set(texts, change)
        except ValueError as error:
            problems.append(Problem(change, str(error)))
    if problems:
        raise PlanError(problems)
    numbered = {name: list(enumerate(rows, start=2)) for name, rows in texts.items()}
    return read(numbered, _place)


def with_settings(plan: Plan, settings: Mapping[str, str]) -> Plan:
    """The plan with these settings of the sheet `plan`; an empty one is taken out."""
    return amended(plan, [f"plan:{key}={value}" for key, value in settings.items()])


def _of_sheet(
    sheet: Sheet, ours: list[dict[str, str]], theirs: list[dict[str, str]]
) -> Iterator[Change]:
    before, after = _by_key(sheet, ours), _by_key(sheet, theirs)
    for key, row in before.items():
        other = after.get(key)
        if other is None:
            yield Change("removed", sheet.name, key[0], cells=_filled(row))
            continue
        for column in sheet.column_names:
            if row[column] != other[column]:
                yield Change("changed", sheet.name, key[0], column, row[column], other[column])
    for key, row in after.items():
        if key not in before:
            yield Change("added", sheet.name, key[0], cells=_filled(row))


def _by_key(
    sheet: Sheet, rows: Iterable[dict[str, str]]
) -> dict[tuple[tuple[str, ...], int], dict[str, str]]:
    """Rows by what names them and, where names repeat, by their place among these."""
    seen: Counter[tuple[str, ...]] = Counter()
    found = {}
    for row in rows:
        key = tuple(row[column] for column in key_columns(sheet))
        found[key, seen[key]] = row
        seen[key] += 1
    return found


def _filled(row: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in row.items() if text}


def _set(texts: Texts, change: str) -> None:
    """Set one cell; raises ValueError in words."""
    cell, equals, value = change.partition("=")
    name, colon, rest = cell.partition(":")
    name = name.strip()
    if not (equals and colon):
        raise ValueError(
            "found no cell and value, expected sheet:key,…:column=value, such as"
            " targets:FY2026-Q1,company:mqls=450"
        )
    if name not in SHEETS:
        near = did_you_mean(name, tuple(SHEETS))
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"found no sheet {name!r}, expected one of {', '.join(SHEETS)}{hint}")
    sheet, rows = SHEETS[name], texts[name]
    if name == "plan":
        _set_setting(rows, rest.strip().removesuffix(":value"), value)
        return
    told, colon, column = rest.rpartition(":")
    column = column.strip()
    if not colon or column not in sheet.column_names:
        near = did_you_mean(column, sheet.column_names)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(
            f"found no column {column!r} of {name}, expected one of"
            f" {', '.join(sheet.column_names)}{hint}"
        )
    keys = key_columns(sheet)
    key = _key(sheet, keys, told)
    matching = [row for row in rows if tuple(row[each] for each in keys) == key]
    if len(matching) != 1:
        known = [", ".join(row[each] for each in keys) for row in rows]
        near = did_you_mean(", ".join(key), known)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(
            f"found {len(matching) or 'no'} rows of {name} with {', '.join(keys)} ="
            f" {', '.join(key)}, expected one{hint} (rows are added in the CSV or the workbook)"
        )
    matching[0][column] = canonical(sheet.column(column), parse(sheet.column(column), value))


def _set_setting(rows: list[dict[str, str]], key: str, value: str) -> None:
    column = next((each for each in SETTINGS if each.name == key), None)
    if column is None:
        names = tuple(each.name for each in SETTINGS)
        near = did_you_mean(key, names)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"found no setting {key!r} of the sheet plan{hint}")
    text = canonical(column, parse(column, value))
    for row in rows:
        if row["key"] == key:
            row["value"] = text
            return
    order = [each.name for each in SETTINGS]
    place = sum(order.index(row["key"]) < order.index(key) for row in rows)
    rows.insert(place, {"key": key, "value": text})


def _key(sheet: Sheet, keys: tuple[str, ...], told: str) -> tuple[str, ...]:
    """The key's cells in their canonical form; the last may be left out where they are empty."""
    cells = [cell.strip() for cell in next(csv.reader([told], skipinitialspace=True), [])]
    if len(cells) > len(keys):
        raise ValueError(
            f"found {len(cells)} parts of a key, expected {', '.join(keys)}; quote a part that"
            " holds a comma"
        )
    cells += [""] * (len(keys) - len(cells))
    return tuple(
        canonical(sheet.column(name), parse(sheet.column(name), cell))
        for name, cell in zip(keys, cells, strict=True)
    )


def _place(sheet: str, row: int | None, column: str | None) -> str:
    told = sheet if row is None else f"{sheet}, row {row}"
    return told if column is None else f"{told}, column {column}"
