"""Law B1 beyond control totals: invoices, and detail with its residual.

The books are `test_gate_holds_currency.sql`; control totals are in test_gate_laws.py, and what
makes the figures is tested in test_dbt_residual.py.
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

BILLS = "main.rpt_spend_reconciliation__account_month"
DETAIL = "main.fct_spend__ad_daily"

JudgeAfter = Callable[[str], LawResult]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """One warm judge for all cases."""
    with Judge.start(memory="1GB", threads=1) as started:
        yield started


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sound books, as a file."""
    path = tmp_path_factory.mktemp("sound") / "tieout.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(SOUND_BOOKS)
    return path


@pytest.fixture
def after(judge: Judge, sound: Path, tmp_path: Path) -> JudgeAfter:
    """What B1 says of the sound books after some SQL."""
    laws = tmp_path / "laws"
    laws.mkdir()
    shutil.copy(LAWS_FOLDER / "B1.sql", laws)

    def judged(sql: str) -> LawResult:
        path = tmp_path / "tieout.duckdb"
        shutil.copy(sound, path)
        with duckdb.connect(str(path)) as connection:
            connection.execute(sql)
        verdict = judge.verdict(path, laws=laws)
        assert verdict.error is None
        return verdict.result("B1")

    return judged


FEBRUARY = "where month_start_date = '2026-02-01'"


HOLDS = {
    "as they are": "select 1",
    "no invoice yet": f"update {BILLS} set invoice_lines = 0, invoices = 0,"
    " invoiced_media_minor = null, credit_note_minor = null, invoice_residual_minor = null,"
    " status = 'no invoice yet'",
    "a cent of rounding for each two lines": f"update {BILLS} set invoice_lines = 3,"
    f" invoiced_media_minor = 10102, invoice_residual_minor = -2 {FEBRUARY}",
    "a residual below zero": f"update {DETAIL} set cost_minor = case when is_residual then -499"
    " else 2499 end",
}


@pytest.mark.parametrize("name", HOLDS)
def test_it_holds(name: str, after: JudgeAfter) -> None:
    result = after(HOLDS[name])
    assert (result.status, result.offending_rows) == ("held", [])


#: What is done to the sound books, what the law must say, and by how much.
BREAKS: dict[str, tuple[str, str, int]] = {
    "an invoice is higher than the books": (
        f"update {BILLS} set invoiced_media_minor = 10150, invoice_residual_minor = -50 {FEBRUARY}",
        "the books differ from the invoices",
        -50,
    ),
    "a credit note that the books do not have": (
        f"update {BILLS} set credit_note_minor = -1300, invoice_residual_minor = 1000 {FEBRUARY}",
        "the books differ from the invoices",
        1000,
    ),
    "the status says otherwise": (
        f"update {BILLS} set invoiced_media_minor = 0, status = 'ties out' {FEBRUARY}",
        "the books differ from the invoices",
        10100,
    ),
    "more than the rounding of the lines": (
        f"update {BILLS} set invoice_lines = 2, invoiced_media_minor = 10102 {FEBRUARY}",
        "the books differ from the invoices",
        -2,
    ),
    "an invoice of an account that spent nothing": (
        f"insert into {BILLS} select 'erp', 'Bing', '(default)', 'USD', 'differs', 0, 0, 0, 0,"
        " null, null, 1, 1, 900, 0, -900, 1, 0, 0, 0, '2026-02-01', '2026-03-01'",
        "the books differ from the invoices",
        -900,
    ),
    "an invoice in no known currency": (
        f"update {BILLS} set invoiced_media_minor = null, invoice_residual_minor = null {FEBRUARY}",
        "the books differ from the invoices",
        9800,
    ),
    "an account fell out of the reconciliation": (
        f"delete from {BILLS} {FEBRUARY}",
        "what was reconciled with invoices is not the published spend",
        -10500,
    ),
    "a declared total of an account that the books do not have": (
        "insert into audit.source_total values ('(declared)', 'Bing', '9', '2026-02-01', 'USD', 5,"
        " null, 'declared control total')",
        "a declared control total of an account and month that the books do not have",
        -5,
    ),
    "the residual is a cent off": (
        f"update {DETAIL} set cost_minor = 500 where is_residual",
        "detail and residual do not add up to their total",
        1,
    ),
    "detail without its residual": (
        f"update {DETAIL} set cost_minor = 2000 where not is_residual;"
        f" delete from {DETAIL} where is_residual",
        "detail without its residual, or with two",
        0,
    ),
    "detail without a total": (
        f"update {DETAIL} set account = '2'",
        "detail without a total",
        2000,
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_does_not_tie_out_breaks(name: str, after: JudgeAfter) -> None:
    sql, problem, difference = BREAKS[name]
    result = after(sql)
    assert (result.status, result.blocks) == ("broken", True)
    assert [(row["problem"], row["difference_minor"]) for row in result.offending_rows] == [
        (problem, difference)
    ]


def test_an_invoice_that_never_ties_out_can_be_accepted(after: JudgeAfter) -> None:
    declared = "insert into audit.tolerance values ('ads', 'law', 'B1', 1, 'settled in May')"
    sql = BREAKS["a credit note that the books do not have"][0]
    result = after(f"{sql}; {declared}")
    assert (result.status, result.tolerated) == ("held", 1)


def test_an_invoice_can_be_waived_for_its_account(after: JudgeAfter) -> None:
    waiver = (
        "insert into audit.plan_waiver values (1, 'B1', 'source=Google Ads; account=1',"
        " 'under dispute', '2026-04-15')"
    )
    sql = BREAKS["an invoice is higher than the books"][0]
    assert after(f"{sql}; {waiver}").status == "waived"
