"""The portable macros of dbt_project/macros/portable, against Python's own arithmetic.

Each engine difference has one macro; when a second engine runs in the tests, these cases run on it.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from tests.integration.dbt_fixture import Warehouse

#: What is asked, and what must come out.
CASES: dict[str, tuple[str, Any]] = {
    "the day before midnight in New York": (
        "local_date(\"timestamp '2026-01-01 04:59:59'\", \"'America/New_York'\")",
        date(2025, 12, 31),
    ),
    "the day after midnight in New York": (
        "local_date(\"timestamp '2026-01-01 05:00:00'\", \"'America/New_York'\")",
        date(2026, 1, 1),
    ),
    "a zone of half an hour": (
        "local_date(\"timestamp '2026-01-01 18:30:00'\", \"'Asia/Kolkata'\")",
        date(2026, 1, 2),
    ),
    "a summer midnight in UTC": (
        "local_to_utc(\"timestamp '2026-07-01 00:00:00'\", \"'Europe/Berlin'\")",
        datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC).replace(tzinfo=None),
    ),
    "whole seconds": (
        "seconds_between(\"timestamp '2026-01-01 00:00:00'\", \"timestamp '2026-01-01 01:29:59'\")",
        5399,
    ),
    "89 minutes across two hours are one hour": (
        "hours_between(\"timestamp '2026-01-01 00:31:00'\", \"timestamp '2026-01-01 02:00:00'\")",
        1,
    ),
    "a minute too early is an hour less": (
        "hours_between(\"timestamp '2026-01-01 01:00:00'\", \"timestamp '2026-01-01 00:59:00'\")",
        -1,
    ),
    "days over a leap day": (
        "days_between(\"date '2024-02-28'\", \"date '2024-03-01'\")",
        2,
    ),
    "every run of separators": ("match_key(\"' Brand - US++2026.Q1%20 '\")", "brand_us_2026_q1"),
    "nothing but separators": ("match_key(\"' - '\")", None),
    "letters of other alphabets stay": ("match_key(\"'Été/ÜBER'\")", "été/über"),
    "a domain": ("email_domain(\"' Jo@Example.COM '\")", "example.com"),
    "no domain": ("email_domain(\"'jo'\")", None),
    "nobody has no hash": ("person_hash(\"'key'\", \"' '\")", None),
}


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All cases compiled by dbt at once, then run."""
    books = Warehouse(tmp_path_factory.mktemp("portable"))
    books.inputs.mkdir()
    columns = ",\n".join(f"{{{{ {call} }}}} as c{i}" for i, (call, _) in enumerate(CASES.values()))
    result = books.dbt("compile", "--inline", f"select\n{columns}")
    sql = result.results[0].node.compiled_code
    found = duckdb.sql(sql).fetchone()
    assert found is not None, json.dumps(sql)
    return dict(zip(CASES, found, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_macro_agrees_with_python(render: dict[str, Any], case: str) -> None:
    assert render[case] == CASES[case][1]
