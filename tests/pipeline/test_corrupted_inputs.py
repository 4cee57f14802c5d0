"""What is wrong with the inputs never reaches a reader.

One company, published once; then one thing is spoilt for each law, each in rows of its own. The run
ends with exit code 3 and names every law and its rows, and the published file keeps its bytes. (One
run for all: that each law blocks by itself is shown on the gate, in tests/integration.)
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.settings import Home
from tests.pipeline.conftest import Ran, assert_told, changed, close_the_books, sha256

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Spoilt:
    """A file of the company, what is done to its rows, and a word that the law's rows must hold."""

    law: str
    table: str
    spoil: Callable[[Rows], Rows]
    told: str


def _row(number: int, column: str, value: str) -> Callable[[Rows], Rows]:
    return lambda rows: [
        row | {column: value} if at == number else row for at, row in enumerate(rows)
    ]


def _without_a_day(rows: Rows) -> Rows:
    days = sorted({row["day"] for row in rows})
    return [row for row in rows if row["day"] != days[len(days) // 2]]


def _first_part(rows: Rows) -> Rows:
    """An export that was cut short."""
    return rows[: len(rows) // 3]


INPUTS = [
    Spoilt("B1", "control_totals", _row(0, "cost", "1.00"), "declared control total"),
    Spoilt("B7", "claims", _row(0, "value", "1000000.00"), "1000000"),
    Spoilt("B6", "leads", _row(0, "created_at", "yesterday"), "could not be read"),
    Spoilt("B8", "lead_events", _row(10, "occurred_at", "2019-01-01T00:00:00Z"), "2019-01-01"),
    Spoilt("B9", "fx_rates", _first_part, "no exchange rate on the day"),
    Spoilt("B10", "lead_events", _row(20, "lead_id", "L-NOBODY"), "L-NOBODY"),
    Spoilt("B11", "spend", _without_a_day, "days without data"),
    Spoilt("B12", "touches", _first_part, "the table has shrunk"),
    Spoilt("B13", "lead_events", _row(30, "status", "Parked by Bob"), "Parked by Bob"),
]


def spoilt_text(text: str, spoil: Callable[[Rows], Rows]) -> str:
    """The CSV with its rows spoilt."""
    reader = csv.DictReader(io.StringIO(text))
    out = io.StringIO()
    writer = csv.DictWriter(out, reader.fieldnames or [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(spoil(list(reader)))
    return out.getvalue()


@pytest.fixture(scope="module")
def spoilt(published: tuple[Home, Path]) -> Iterator[tuple[Home, Ran]]:
    """The run on everything spoilt."""
    home, sources = published
    with ExitStack() as stack:
        for case in INPUTS:
            path = sources.parent / "data" / f"{case.table}.csv"
            spoil = case.spoil
            stack.enter_context(changed(path, lambda text, spoil=spoil: spoilt_text(text, spoil)))
        yield home, close_the_books(home, sources)


@pytest.mark.parametrize("case", INPUTS, ids=[case.law for case in INPUTS])
def test_spoilt_input_blocks(case: Spoilt, spoilt: tuple[Home, Ran]) -> None:
    home, ran = spoilt
    assert ran.exit_code == 3, ran.told
    assert_told(home, ran, case.law, case.told)


def test_readers_keep_what_they_had(spoilt: tuple[Home, Ran]) -> None:
    home, ran = spoilt
    assert ran.current == "releases/1"
    assert ran.published_sha256 == sha256(home.releases / "1" / home.current_database.name)
