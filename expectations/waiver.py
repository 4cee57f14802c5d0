"""Waivers: which offending rows of a law both departments have agreed to bear for a time.

Belongs here: what a waiver's scope means, as SQL. Does not belong here: who signed it (the plan's
registers prove that before the books are built) and what a waived law does (`judge`).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: The scope that covers every row.
ALL = "all"


@dataclass(frozen=True)
class Waiver:
    """One waiver; `scope` is `all`, or `column=value; …`: the rows where all of these hold."""

    number: int
    law: str
    scope: str
    reason: str
    expires_on: datetime.date

    @property
    def conditions(self) -> list[tuple[str, str]]:
        """Column and value, compared as text; none for `all`."""
        if self.scope.strip().lower() == ALL:
            return []
        pairs = [part.partition("=") for part in self.scope.split(";") if part.strip()]
        return [(column.strip(), value.strip()) for column, _, value in pairs]

    def unknown_columns(self, row: Mapping[str, Any]) -> list[str]:
        """The columns it names that the law's rows do not have; it then covers nothing."""
        return [column for column, _ in self.conditions if column not in row]


def covers(waivers: Iterable[Waiver]) -> str:
    """The condition, in SQL, on a row that one of these waivers covers; never null."""
    return " or ".join(_condition(waiver) for waiver in waivers) or "false"


def _condition(waiver: Waiver) -> str:
    parts = [
        f"coalesce(cast({_quoted(column)} as varchar) = {_text(value)}, false)"
        for column, value in waiver.conditions
    ]
    return f"({' and '.join(parts)})" if parts else "true"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
