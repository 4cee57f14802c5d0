"""The builder of the tests refuses what dbt would refuse, or tests that stand on it prove nothing.

A project of two models by hand, in the form that dbt compiles; each test breaks one of its rules.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support import built
from tests.support.parsed import CATALOG, INPUTS

Build = Callable[..., Path]


def model(name: str, query: str, *reads: str, **columns: tuple[str, bool]) -> dict[str, Any]:
    """A model whose columns are given by name, with type and whether they may be empty."""
    return {
        "name": name,
        "alias": name,
        "resource_type": "model",
        "compiled_code": query,
        "config": {"materialized": "table", "contract": {"enforced": bool(columns)}},
        "columns": {
            column: {
                "name": column,
                "data_type": kind,
                "constraints": [] if is_null else [{"type": "not_null"}],
            }
            for column, (kind, is_null) in columns.items()
        },
        "depends_on": {"nodes": [f"model.{each}" for each in reads]},
    }


def rule(name: str, of: str, query: str) -> dict[str, Any]:
    """A data test: its rows are those that break it."""
    return {
        "name": name,
        "alias": name,
        "resource_type": "test",
        "compiled_code": query,
        "depends_on": {"nodes": [f"model.{of}"]},
    }


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Builds the two models from rows of SQL; the other arguments are those of `built.build`."""

    def made(rows: str, *select: str, constraint: str = "not_null") -> Path:
        ids = {"lead_id": ("varchar", False), "score": ("bigint", True)}
        leads = model("leads", f"select * from (values {rows}) as given(lead_id, score)", **ids)
        leads["columns"]["lead_id"]["constraints"] = [{"type": constraint}]
        table = f'"{CATALOG}"."main"."leads"'
        nodes = {
            "model.scores": model("scores", f"select score from {table}", "leads"),
            "model.leads": leads,
            "test.unique": rule(
                "unique_leads",
                "leads",
                f"select lead_id from {table} group by 1 having count(*) > 1",
            ),
            "test.scores": rule(
                "scores_are_known",
                "scores",
                f'select 1 from "{CATALOG}"."main"."scores" where score is null',
            ),
        }
        manifest = tmp_path / "manifest.json"
        manifest.write_text(json.dumps({"nodes": nodes}))
        monkeypatch.setattr(built, "compiled_manifest", lambda: manifest)
        built._project.cache_clear()
        database = tmp_path / "warehouse.duckdb"
        built.build(database, Path(INPUTS), select)
        return database

    yield made
    built._project.cache_clear()


def test_what_breaks_no_rule_is_built_in_order_and_in_the_types_of_its_contract(
    build: Build,
) -> None:
    database = build("('a', 1), ('b', 2)")
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("select typeof(score) from leads").fetchone() == ("BIGINT",)
        assert connection.execute("select sum(score) from scores").fetchone() == (3,)


def test_an_empty_key_is_refused(build: Build) -> None:
    with pytest.raises(AssertionError, match=r"leads: Constraint Error: NOT NULL.*lead_id"):
        build("('a', 1), (null, 2)")


def test_a_value_of_another_type_is_refused(build: Build) -> None:
    with pytest.raises(AssertionError, match="leads: Conversion Error"):
        build("('a', 'many')")


def test_rows_that_a_data_test_finds_fail_the_build_by_its_name(build: Build) -> None:
    with pytest.raises(AssertionError, match=r"data tests failed: \{'unique_leads': 1\}"):
        build("('a', 1), ('a', 2)")


def test_only_data_tests_of_what_was_chosen_judge_and_none_if_they_are_left_out(
    build: Build,
) -> None:
    rows = "('a', null)"
    build(rows, "leads")
    build(rows, "--exclude", "test_type:data")
    build(rows, "+scores", "--exclude", "test_type:data")
    with pytest.raises(AssertionError, match="scores_are_known"):
        build(rows, "+scores")


def test_what_the_builder_does_not_know_it_does_not_pass_over(build: Build) -> None:
    with pytest.raises(AssertionError, match="no such constraint is known here"):
        build("('a', 1)", constraint="unique")
    with pytest.raises(AssertionError, match="no model is meant by 'lead'"):
        build("('a', 1)", "lead")
