"""Questions to one publication: read from `sql/`, values bound, answers kept with their SQL.

Belongs here: opening the publication that a request asks for, and asking it. Does not belong here:
the questions themselves (`sql/`), how an answer is shown (`parts`).

A request opens the file, asks all its questions on that one connection, and closes it: what is
published meanwhile is seen by the next request, and no page mixes two publications. What is printed
is what was run, with the bound values as literals.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.lib.release.folders import current_number, release_numbers
from orchestration.lib.release.reader import open_published
from orchestration.lib.scorecard.queries import Answer, Query, filled, literal
from orchestration.settings import Home

_SQL = Path(__file__).parent / "sql"
#: A page of a long table.
PAGE_ROWS = 50
#: So many pages are made at once, each with so much of the machine; the others wait.
_SEATS = threading.BoundedSemaphore(4)
_MEMORY, _THREADS = "512MB", 2

Value = str | int | date


class NotThereError(LookupError):
    """The publication has no such thing; the message says what was looked for."""


@dataclass(frozen=True)
class Question:
    """A question: its file in `sql/`, its title for people, what it needs of the file."""

    id: str
    title: str
    needs: tuple[str, ...]


@dataclass
class Book:
    """One publication that is open: which, and who asks it."""

    number: int
    is_current: bool
    connection: duckdb.DuckDBPyConnection
    _names: set[str] | None = None

    def can(self, question: Question) -> bool:
        """Whether the file has what the question needs; an older one may not."""
        if self._names is None:
            rows = self.connection.execute(
                "select table_schema, table_name, column_name from information_schema.columns"
                " where table_catalog = current_database()"
            ).fetchall()
            self._names = {f"{schema}.{table}" for schema, table, _ in rows}
            self._names |= {".".join(row) for row in rows}
        return self._names.issuperset(question.needs)

    def ask(self, question: Question, section: str, values: Mapping[str, Value]) -> Answer:
        """The answer to a question; the values are bound, never written into the SQL that runs."""
        text = (_SQL / f"{question.id}.sql").read_text(encoding="utf-8")
        used = {name: values[name] for name in re.findall(r"\$([a-z_]+)", text)}
        relation = self.connection.execute(text, used) if used else self.connection.execute(text)
        columns = [column[0] for column in relation.description or ()]
        rows = tuple(dict(zip(columns, row, strict=True)) for row in relation.fetchall())
        shown = filled(text, {name: _literal(value) for name, value in used.items()})
        query = Query(question.id, question.title, section, question.needs)
        return Answer(query, shown, rows)


def _literal(value: Value) -> str:
    return str(value) if isinstance(value, int) else literal(value)


@contextmanager
def open_book(home: Home, number: int | None) -> Iterator[Book]:
    """The publication of that number, or what readers see now."""
    if number is not None and number not in release_numbers(home):
        raise NotThereError(f"publication {number}")
    with (
        _SEATS,
        open_published(home, number=number, memory_limit=_MEMORY, threads=_THREADS) as connection,
    ):
        # The file says which it is: the symlink may point elsewhere by now.
        ((found,),) = connection.execute("select number from meta.publication").fetchall()
        yield Book(found, found == current_number(home), connection)
