"""The laws as data: one file `laws/<id>.sql` each, read into a `Law`.

A law file is SQL that DuckDB runs as it stands. It opens with a comment in YAML (id, title,
meaning, severity, unit, owner, what_to_do, forgivable, waivable) and holds three queries, each
after a line `-- query: <name>`:

- `applies`: one row with a `reason` if there is nothing to judge ('no spend source'), else none.
- `measure`: exactly one row (expected, actual, difference, checked, and optionally currency).
  `checked` counts what was looked at: nothing looked at is not a pass. A law that only counts
  offences expects 0 and leaves `actual` and `difference` null: the judge fills in the count.
- `offenders`: every row that breaks the law; none when it holds. The first column is `feed`,
  null where no single feed is to blame. A column `rows` says how many source rows a line stands
  for, `currency` in what currency its `_minor` columns are.
- `severity`, optional: one row with a `severity` that takes the header's place, where the plan
  says how much a law weighs; no row leaves the header's.

Belongs here: reading and validating those files. Does not belong here: running them (`judge`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from expectations.verdict import Severity, Unit

LAWS_FOLDER = Path(__file__).resolve().parent / "laws"

QUERIES = ("applies", "measure", "offenders")
SEVERITY = "severity"

_HEADER = re.compile(r"\A/\*\n(?P<yaml>.*?)\n\*/\n(?P<body>.*)\Z", re.DOTALL)
_MARK = re.compile(r"^-- query: (?P<name>\w+)$", re.MULTILINE)


class LawFileError(ValueError):
    """A law file that cannot be read; the message names the file and what it should hold."""


@dataclass(frozen=True)
class Law:
    """One law: what it means to people, and the three queries that judge it."""

    id: str
    title: str
    meaning: str
    severity: Severity
    unit: Unit
    owner: str
    what_to_do: str
    #: Whether a tolerance declared for a feed may forgive some of its offending rows.
    forgivable: bool
    #: Whether both departments may waive it for a time; never where the models are at fault.
    waivable: bool
    applies: str
    measure: str
    offenders: str
    #: The query that says how much it weighs, where that is not the header's `severity`.
    severity_query: str | None = None


def load_laws(folder: Path = LAWS_FOLDER) -> dict[str, Law]:
    """All laws of a folder by id, in the order of their letter and number."""
    laws = [read_law(path) for path in folder.glob("*.sql")]
    if not laws:
        raise LawFileError(f"{folder}: found no law files (*.sql); expected at least one")
    return {law.id: law for law in sorted(laws, key=lambda law: (law.id[0], int(law.id[1:])))}


def read_law(path: Path) -> Law:
    """The law in that file."""
    match = _HEADER.match(path.read_text(encoding="utf-8"))
    if match is None:
        raise LawFileError(f"{path}:1: expected a comment /* … */ holding the law's YAML header")
    try:
        header = yaml.safe_load(match["yaml"])
    except yaml.YAMLError as error:
        raise LawFileError(f"{path}: the header is not YAML: {error}") from error
    values: dict[str, Any] = {**_header(path, header), **_queries(path, match["body"])}
    return Law(**values)


def _header(path: Path, header: Any) -> dict[str, Any]:
    wanted = {field.name for field in fields(Law)} - {*QUERIES, "severity_query"}
    found = set(header) if isinstance(header, dict) else set()
    if found != wanted:
        raise LawFileError(
            f"{path}: the header must have exactly {', '.join(sorted(wanted))}; "
            f"missing: {sorted(wanted - found)}, unknown: {sorted(found - wanted)}"
        )
    values = {
        key: " ".join(value.split()) if isinstance(value, str) else value
        for key, value in header.items()
    }
    if values["id"] != path.stem or not re.fullmatch(r"[A-Z]\d+", values["id"]):
        raise LawFileError(
            f"{path}: id is {values['id']!r}; expected the file's name, a letter and a number"
        )
    for key, allowed in _ALLOWED.items():
        if values[key] not in allowed:
            raise LawFileError(f"{path}: {key} is {values[key]!r}; expected one of {allowed}")
    return values


_ALLOWED: dict[str, tuple[Any, ...]] = {
    "severity": ("block", "warn"),
    "unit": ("minor", "rows"),
    "forgivable": (True, False),
    "waivable": (True, False),
}


def _queries(path: Path, body: str) -> dict[str, str]:
    parts = _MARK.split(body)
    names = tuple(parts[1::2])
    if names not in (QUERIES, (*QUERIES, SEVERITY)):
        raise LawFileError(
            f"{path}: expected the queries {QUERIES}, each after a line '-- query: <name>', "
            f"in that order, and perhaps {SEVERITY!r}; found {names}"
        )
    return {
        "severity_query" if name == SEVERITY else name: text.strip().rstrip(";").rstrip()
        for name, text in zip(names, parts[2::2], strict=True)
    }
