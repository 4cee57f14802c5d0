"""What is wrong with the inputs never reaches a reader.

One company, published once; then, law by law, one thing is spoilt. Each run ends with exit code 3
and names the law and its rows, and the published file keeps its bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.settings import Home
from tests.pipeline.conftest import assert_blocked, changed

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Spoilt:
    """A file of the company, what is done to its rows, and a word that the law's rows must hold."""

    law: str
    table: str
    spoil: Callable[[Rows], Rows]
    told: str


def _first(column: str, value: str) -> Callable[[Rows], Rows]:
    return lambda rows: [rows[0] | {column: value}, *rows[1:]]


def _without_a_day(rows: Rows) -> Rows:
    days = sorted({row["day"] for row in rows})
    return [row for row in rows if row["day"] != days[len(days) // 2]]


INPUTS = [
    Spoilt("B1", "control_totals", _first("cost", "1.00"), "declared control total"),
    Spoilt("B7", "claims", _first("value", "1000000.00"), "1000000"),
    Spoilt("B6", "leads", _first("created_at", "yesterday"), "could not be read"),
    Spoilt("B8", "lead_events", _first("occurred_at", "2019-01-01T00:00:00Z"), "2019-01-01"),
    Spoilt("B10", "lead_events", _first("lead_id", "L-NOBODY"), "L-NOBODY"),
    Spoilt("B11", "spend", _without_a_day, "days without data"),
    Spoilt("B13", "lead_events", _first("status", "Parked by Bob"), "Parked by Bob"),
]


def spoilt_text(text: str, spoil: Callable[[Rows], Rows]) -> str:
    """The CSV with its rows spoilt."""
    reader = csv.DictReader(io.StringIO(text))
    out = io.StringIO()
    writer = csv.DictWriter(out, reader.fieldnames or [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(spoil(list(reader)))
    return out.getvalue()


@pytest.mark.parametrize("case", INPUTS, ids=[case.law for case in INPUTS])
def test_spoilt_input_blocks(case: Spoilt, published: tuple[Home, Path]) -> None:
    home, sources = published
    path = sources.parent / "data" / f"{case.table}.csv"
    with changed(path, lambda text: spoilt_text(text, case.spoil)):
        assert_blocked(home, sources, case.law, case.told)
