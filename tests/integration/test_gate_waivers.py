"""Waivers: what both departments have agreed to bear does not block, for a time, in plain sight."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from expectations.client import Judge
from expectations.verdict import LawResult

BOOKS = """
create schema audit;
create table audit.run as
select timestamp '2026-03-31 23:00' as as_of, date '2026-03-31' as as_of_date,
    'USD' as reporting_currency;
create table audit.tolerance (feed varchar, kind varchar, name varchar, at_most bigint);
create table audit.plan_waiver (
    number bigint, law varchar, scope varchar, reason varchar, expires_on date
);
create table audit.sum as
select unnest(['mqls', 'mqls', 'pipeline']) as metric, unnest(range(3)) as sheet_row;
"""
LAW = """/*
id: B99
title: Nothing offends
meaning: A law for tests. It offends three times.
severity: block
unit: rows
forgivable: false
waivable: true
owner: Nobody
what_to_do: Nothing.
*/

-- query: applies
select 'never' as reason from audit.run where false;

-- query: measure
select
    cast(0 as bigint) as expected,
    cast(null as bigint) as actual,
    cast(null as bigint) as difference,
    count(*) as checked
from audit.sum;

-- query: offenders
select cast(null as varchar) as feed, metric, sheet_row from audit.sum
"""
SEVERITY = ";\n\n-- query: severity\nselect 'warn' as severity from audit.run where {when}\n"

Outcome = Callable[..., LawResult]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge.start(memory="1GB", threads=1) as started:
        yield started


@pytest.fixture
def outcome(judge: Judge, tmp_path: Path) -> Outcome:
    """The result of the law on the books with these waivers: (scope, expires on)."""

    def judged(*waivers: tuple[str, str], law: str = LAW, books: str = "") -> LawResult:
        folder = tmp_path / "laws"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "B99.sql").write_text(law)
        path = tmp_path / "tieout.duckdb"
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as connection:
            connection.execute(BOOKS + books)
            for number, (scope, expires_on) in enumerate(waivers, start=1):
                connection.execute(
                    "insert into audit.plan_waiver values (?, 'B99', ?, 'agreed', ?)",
                    [number, scope, expires_on],
                )
        verdict = judge.verdict(path, laws=folder)
        assert verdict.error is None
        result = verdict.result("B99")
        assert verdict.passed is not result.blocks
        return result

    return judged


def test_a_waiver_of_everything_lets_the_law_pass_and_says_so(outcome: Outcome) -> None:
    result = outcome(("all", "2026-04-01"))
    assert (result.status, result.waived, result.blocks) == ("waived", 3, False)
    assert result.reason == "waiver 1 for all, until 2026-04-01: agreed"
    assert len(result.offending_rows) == 3, "what is waived is still shown"


@pytest.mark.parametrize(
    ("waivers", "waived", "left"),
    [
        ([], 0, ["mqls", "mqls", "pipeline"]),
        ([("metric=mqls", "2026-04-01")], 2, ["pipeline"]),
        ([("metric = mqls ; sheet_row = 1", "2026-04-01")], 1, ["mqls", "pipeline"]),
        ([("metric=it's", "2026-04-01")], 0, ["mqls", "mqls", "pipeline"]),
        # Expired: its last day has passed.
        ([("all", "2026-03-31")], 0, ["mqls", "mqls", "pipeline"]),
        # A column that the rows do not have covers nothing, rather than everything.
        ([("scope=company", "2026-04-01")], 0, ["mqls", "mqls", "pipeline"]),
        ([("metric", "2026-04-01")], 0, ["mqls", "mqls", "pipeline"]),
    ],
)
def test_what_is_not_waived_still_blocks(
    waivers: list[tuple[str, str]], waived: int, left: list[str], outcome: Outcome
) -> None:
    result = outcome(*waivers)
    assert (result.status, result.waived, result.blocks) == ("broken", waived, True)
    assert [row["metric"] for row in result.offending_rows] == left
    assert result.offending_count == len(left)


def test_two_waivers_may_cover_a_law_together(outcome: Outcome) -> None:
    result = outcome(("metric=mqls", "2026-04-01"), ("metric=pipeline", "2026-06-01"))
    assert (result.status, result.waived) == ("waived", 3)


def test_a_law_about_the_models_cannot_be_waived(outcome: Outcome) -> None:
    result = outcome(("all", "2026-04-01"), law=LAW.replace("waivable: true", "waivable: false"))
    assert (result.status, result.waived) == ("broken", 0)


def test_nothing_to_look_at_cannot_be_waived(outcome: Outcome) -> None:
    assert outcome(("all", "2026-04-01"), books="delete from audit.sum").status == "broken"


def test_past_200_rows_the_waived_ones_are_counted_exactly(outcome: Outcome) -> None:
    books = "insert into audit.sum select 'sals', range from range(450)"
    result = outcome(("metric=mqls", "2026-04-01"), books=books)
    assert (result.waived, result.offending_count) == (2, 451)
    assert len(result.offending_rows) == 200


@pytest.mark.parametrize(("when", "blocks"), [("true", False), ("false", True)])
def test_the_plan_says_how_much_a_law_weighs(when: str, blocks: bool, outcome: Outcome) -> None:
    """No row of the query leaves the header's severity."""
    result = outcome(law=LAW + SEVERITY.format(when=when))
    assert (result.status, result.blocks) == ("broken", blocks)


@pytest.mark.parametrize("query", ["select 'perhaps' as severity", "select no_such_column"])
def test_a_weight_that_nobody_knows_is_an_error(query: str, outcome: Outcome) -> None:
    result = outcome(law=f"{LAW};\n\n-- query: severity\n{query}\n")
    assert result.status == "error"
