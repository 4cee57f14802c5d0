"""Values as SQL writes them: whatever is written comes back as it was, in type and in content."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import duckdb
import pytest

from orchestration.lib.release.content import literal, quoted


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -(2**63),
        0.1,
        1e300,
        -0.0,
        math.inf,
        datetime(2026, 2, 28, 23, 59, 59, 999_999),
        datetime(2026, 2, 28),
        "",
        "it's; drop table t --",
        "''",
        "a\nb\\n ü \N{FIRE}",
        "null",
    ],
)
def test_a_literal_is_the_value(value: Any) -> None:
    found = duckdb.sql(f"select {literal(value)}").fetchall()[0][0]
    assert (type(found), found) == (type(value), value)
    if isinstance(value, float):
        assert math.copysign(1, found) == math.copysign(1, value)


def test_a_truth_is_no_number_and_a_digit_string_no_integer() -> None:
    kinds = [literal(value) for value in (True, 1, 1.0, "1", None)]
    assert kinds == ["true", "1", "'1.0'::double", "'1'", "null"]


def test_a_name_with_a_quote_is_one_name() -> None:
    assert quoted("main", 'a"; drop table b; --') == '"main"."a""; drop table b; --"'
