"""Law B12 through Great Expectations: what shrank blocks, and so does what nobody counted.

What may shrink, and by how much, is the rule of audit_volume_shrunk and its unit test.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from expectations.client import Judge
from expectations.laws import LAWS_FOLDER
from expectations.verdict import LawResult
from tests.support.books import SOUND_BOOKS

JudgeAfter = Callable[[str], LawResult]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """One warm judge for all cases."""
    with Judge.start(memory="1GB", threads=1) as started:
        yield started


@pytest.fixture
def after(judge: Judge, tmp_path: Path) -> JudgeAfter:
    """What B12 says of the sound books after some SQL."""
    laws = tmp_path / "laws"
    laws.mkdir()
    shutil.copy(LAWS_FOLDER / "B12.sql", laws)

    def judged(sql: str) -> LawResult:
        path = tmp_path / "tieout.duckdb"
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as connection:
            connection.execute(SOUND_BOOKS)
            connection.execute(sql)
        verdict = judge.verdict(path, laws=laws)
        assert verdict.error is None
        return verdict.result("B12")

    return judged


def test_books_that_lost_nothing_hold(after: JudgeAfter) -> None:
    result = after("select 1")
    assert (result.status, result.expected, result.actual, result.checked) == ("held", 0, 0, 6)
    assert (result.unit, result.severity) == ("rows", "block")


SHRUNK = (
    "insert into audit.volume_shrunk values ('crm', 'leads', {gone}, 100, {now}, {pct}, 5, {m})"
)

BREAKS = {
    "a table": (SHRUNK.format(gone="false", now=50, pct=50, m="null"), "the table has shrunk"),
    "a month": (
        SHRUNK.format(gone="false", now=90, pct=10, m="'2026-02-01'"),
        "a month has shrunk",
    ),
    "an empty load": (
        SHRUNK.format(gone="false", now=0, pct=100, m="null"),
        "nothing is left of the table",
    ),
    "a feed": (
        SHRUNK.format(gone="true", now=0, pct=100, m="null"),
        "a feed that is not read any more leaves its table short",
    ),
    "a table that was not counted": (
        "delete from audit.volume where table_name = 'leads'",
        "rows are in the books and were not counted",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_shrank_breaks(name: str, after: JudgeAfter) -> None:
    sql, problem = BREAKS[name]
    result = after(sql)
    assert (result.status, result.blocks) == ("broken", True)
    (row,) = result.offending_rows
    assert (row["feed"], row["table_name"], row["problem"]) == ("crm", "leads", problem)


def test_both_departments_may_waive_a_table(after: JudgeAfter) -> None:
    waiver = (
        "insert into audit.plan_waiver values (1, 'B12', 'feed=crm; table_name=leads',"
        " 'the old leads were archived', '2026-04-15')"
    )
    assert after(f"{BREAKS['a table'][0]}; {waiver}").status == "waived"
    other = waiver.replace("leads'", "touches'", 1)
    assert after(f"{BREAKS['a table'][0]}; {other}").status == "broken"


def test_a_tolerance_for_rows_of_laws_does_not_forgive_it(after: JudgeAfter) -> None:
    declared = "insert into audit.tolerance values ('crm', 'law', 'B12', 1000, 'why not')"
    assert after(f"{BREAKS['a table'][0]}; {declared}").status == "broken"
