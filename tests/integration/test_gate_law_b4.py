"""Law B4 through Great Expectations: a pipeline that adds up holds, and every way not to breaks it.

The books are `test_gate_holds_pipeline.sql`; what makes entries and periods is tested in
test_dbt_pipeline.py.
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

BOOKS = "".join(
    Path(__file__).with_name(name).read_text(encoding="utf-8")
    for name in ("test_gate_holds.sql", "test_gate_holds_pipeline.sql")
)
JOURNAL = "main.fct_pipeline_journal__entry"
PERIODS = "main.rpt_pipeline_waterfall__period"
DEALS = "main.fct_opportunity"

JudgeAfter = Callable[[str], LawResult]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """One warm judge for all cases."""
    with Judge.start(memory="1GB", threads=1) as started:
        yield started


@pytest.fixture
def after(judge: Judge, tmp_path: Path) -> JudgeAfter:
    """What B4 says of the sound books after some SQL."""
    laws = tmp_path / "laws"
    laws.mkdir()
    shutil.copy(LAWS_FOLDER / "B4.sql", laws)

    def judged(sql: str) -> LawResult:
        path = tmp_path / "tieout.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(BOOKS)
            connection.execute(sql)
        verdict = judge.verdict(path, laws=laws)
        assert verdict.error is None
        return verdict.result("B4")

    return judged


def test_a_pipeline_that_adds_up_holds(after: JudgeAfter) -> None:
    result = after("select 1")
    assert (result.status, result.offending_rows) == ("held", [])
    assert (result.expected, result.actual, result.difference) == (120000, 120000, 0)
    assert (result.checked, result.unit, result.severity) == (40, "minor", "block")
    assert result.currency == "USD"


WITHOUT_O2 = (
    f"delete from {JOURNAL} where opportunity_id <> 'O1'; delete from {DEALS} where"
    f" opportunity_id <> 'O1'; delete from {PERIODS} where scope in ('bob', 'Core',"
    f" 'Google Ads / B'); update {PERIODS} set increased_minor = 0, reassigned_minor = 0,"
    " revalued_minor = 0, won_minor = 0, won_deals = 0, reassigned_deals = 0, created_deals ="
    " least(created_deals, 1), opening_deals = least(opening_deals, 1), closing_deals = 1,"
    " closing_deals_without_amount = 0, created_minor = least(created_minor, 120000),"
    " closing_minor = 120000, opening_minor = least(opening_minor, 120000);"
    f" update {PERIODS} set created_deals = 0 where opening_deals = 1;"
)

HOLDS = {
    "a deal lies still": WITHOUT_O2,
    "a deal before the calendar": (
        f"{WITHOUT_O2} update {JOURNAL} set occurred_at = '1969-06-01', posted_date = '1969-05-31'"
        f" where entry_id = 'j1'; update {DEALS} set created_at = null"
    ),
    "nothing is open and nothing ever was": (
        f"delete from {JOURNAL} where opportunity_id <> 'O2'; delete from {DEALS} where"
        f" opportunity_id <> 'O2'; delete from {PERIODS} where scope in ('Core', 'Google Ads / B');"
        f" update {PERIODS} set created_minor = least(created_minor, 40000),"
        " created_deals = least(created_deals, 1),"
        " opening_minor = greatest(opening_minor - 120000, 0),"
        " opening_deals = greatest(opening_deals - 1, 0), advanced_moved_minor = 0,"
        " advanced_deals = 0, closing_deals_without_amount = 0,"
        " closing_minor = case when period_kind = 'day' and period_start_date = '2026-03-30'"
        " then 40000 else 0 end, closing_deals = case when period_kind = 'day'"
        " and period_start_date = '2026-03-30' then 1 else 0 end;"
        f" update {PERIODS} set created_deals = 0, created_minor = 0 where opening_deals = 1"
        " or scope = 'bob'"
    ),
}


@pytest.mark.parametrize("name", HOLDS)
def test_what_is_no_fault_holds(name: str, after: JudgeAfter) -> None:
    result = after(HOLDS[name])
    assert (result.status, result.offending_rows) == ("held", [])


DAY = "period_kind = 'day' and period_start_date ="
SUM = "opening and movements are not the closing"
CHAIN = "the opening is not the closing of the period before"
ENTRIES = "the movements are not what the entries add up to"
PARTS = "the parts do not add up to the company"
OPEN = "the last closing is not what the open opportunities are worth"
DEAL = "the entries of a deal are not what is open of it"
OWN = "in its own currency, the entries of a deal are not what is open of it"
SHAPE = "an entry of no kind, without a time or with an amount that its kind has not"

#: What is done to the sound books, and all that the law must say.
BREAKS: dict[str, tuple[str, set[str]]] = {
    "a closing is a cent off": (
        f"update {PERIODS} set closing_minor = closing_minor + 1 where {DAY} '2026-03-30'"
        " and scope = 'company'",
        {SUM, CHAIN, PARTS},
    ),
    "a closing is unknown": (
        f"update {PERIODS} set closing_minor = null where {DAY} '2026-03-30' and scope = 'company'",
        {SUM, CHAIN, PARTS},
    ),
    "a closing is a deal off": (
        f"update {PERIODS} set closing_deals = closing_deals - 1 where period_kind = 'quarter'"
        " and scope = 'Core'",
        {SUM, PARTS, OPEN},
    ),
    "a movement is a cent off": (
        f"update {PERIODS} set won_minor = won_minor - 1 where period_kind = 'month'"
        " and scope = 'company'",
        {SUM, ENTRIES},
    ),
    "two movements are exchanged": (
        f"update {PERIODS} set increased_minor = 500, revalued_minor = 9500"
        " where period_kind = 'week' and scope = 'bob'",
        {ENTRIES},
    ),
    "what moved is wrong, and is in no sum": (
        f"update {PERIODS} set advanced_moved_minor = 1 where {DAY} '2026-03-31' and scope = 'ann'",
        {ENTRIES},
    ),
    "opening and closing are both off": (
        f"update {PERIODS} set opening_minor = 7, closing_minor = closing_minor + 7"
        " where period_kind = 'quarter' and scope = 'company'",
        {CHAIN, PARTS, OPEN},
    ),
    "a deal without an amount is gone": (
        f"update {PERIODS} set closing_deals_without_amount = 0 where period_kind = 'week'"
        " and scope = 'company'",
        {ENTRIES, PARTS, OPEN},
    ),
    "a day is missing": (
        f"delete from {PERIODS} where {DAY} '2026-03-30' and scope = 'company'",
        {CHAIN, "movements are in no period", ENTRIES, PARTS},
    ),
    "the last day is missing": (
        f"delete from {PERIODS} where {DAY} '2026-03-31' and scope = 'ann'",
        {
            "movements are in no period",
            ENTRIES,
            "periods are missing: something stood when the last one ended",
            PARTS,
            OPEN,
        },
    ),
    "a period stands twice": (
        f"insert into {PERIODS} select * from {PERIODS} where period_kind = 'month'"
        " and scope = 'ann'",
        {CHAIN, PARTS},
    ),
    "an owner's periods are gone": (
        f"delete from {PERIODS} where scope = 'bob'",
        {"movements are in no period", PARTS, OPEN},
    ),
    "a scope that nothing stands for": (
        f"insert into {PERIODS} (period_kind, period_start_date, period_end_date, scope_kind,"
        " scope, created_minor, closing_minor) values"
        " ('month', '2026-03-01', '2026-04-01', 'owner', 'eve', 5, 5)",
        {ENTRIES, PARTS, OPEN},
    ),
    "the periods are gone": (
        f"delete from {PERIODS}",
        {"movements are in no period", OPEN},
    ),
    "an entry is gone": (
        f"delete from {JOURNAL} where entry_id = 'j5'",
        {ENTRIES, DEAL, OWN},
    ),
    "an entry is a cent off": (
        f"update {JOURNAL} set reporting_amount_minor = 9501 where entry_id = 'j5'",
        {ENTRIES, DEAL},
    ),
    "an entry is a cent off in its own currency": (
        f"update {JOURNAL} set amount_minor = 9001 where entry_id = 'j5'",
        {OWN},
    ),
    "an entry is in another currency": (
        f"update {JOURNAL} set currency = 'USD' where entry_id = 'j5'",
        {OWN},
    ),
    "an entry is of no kind": (
        f"update {JOURNAL} set kind = 'adjusted' where entry_id = 'j5'",
        {ENTRIES, SHAPE},
    ),
    "a move changes the total": (
        f"update {JOURNAL} set reporting_amount_minor = 1 where entry_id = 'j3'",
        {DEAL, SHAPE},
    ),
    "an increase is negative": (
        f"update {JOURNAL} set amount_minor = -9000 where entry_id = 'j5'",
        {OWN, SHAPE},
    ),
    "an entry stands twice": (
        f"insert into {JOURNAL} select * from {JOURNAL} where entry_id = 'j3'",
        {ENTRIES, "an entry stands twice"},
    ),
    "an entry is posted on another day": (
        f"update {JOURNAL} set posted_date = '2026-03-31' where entry_id = 'j2'",
        {ENTRIES, "an entry is posted on another day than it happened"},
    ),
    "an entry is posted before creation": (
        f"update {DEALS} set created_at = '2026-03-31 04:01' where opportunity_id = 'O2'",
        {"a deal was posted before its creation"},
    ),
    "an entry is in the future": (
        f"update {JOURNAL} set occurred_at = '2026-03-31 23:01' where entry_id = 'j8'",
        {"an entry is dated in the future"},
    ),
    "a deal was never created": (
        f"update {JOURNAL} set kind = 'reopened' where entry_id = 'j8'",
        {ENTRIES, "a deal was not created once"},
    ),
    "a deal without entries": (
        f"insert into {DEALS} select * replace ('O4' as opportunity_id, 1 as"
        f" reporting_amount_minor) from {DEALS} where opportunity_id = 'O1'",
        {OPEN, DEAL, OWN, "a deal was not created once"},
    ),
    "entries of no deal": (
        f"delete from {DEALS} where opportunity_id = 'O3'",
        {OPEN, DEAL},
    ),
    "a deal is worth something else now": (
        f"update {DEALS} set reporting_amount_minor = 120001 where opportunity_id = 'O1'",
        {OPEN, DEAL},
    ),
    "a won deal is worth something else": (
        f"update {DEALS} set reporting_amount_minor = 50001 where opportunity_id = 'O2'",
        {"what was won is not what the deal is worth"},
    ),
    "a deal is no longer open": (
        f"update {DEALS} set is_open = false where opportunity_id = 'O1'",
        {OPEN, DEAL, OWN},
    ),
    "a deal has another owner": (
        f"update {DEALS} set owner = 'bob' where opportunity_id = 'O1'",
        {OPEN},
    ),
    "a deal has an amount in the journal and none of its own": (
        f"update {DEALS} set reporting_amount_minor = null, amount_minor = null"
        " where opportunity_id = 'O1'",
        {OPEN, DEAL, OWN},
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_pipeline_that_does_not_add_up_breaks(name: str, after: JudgeAfter) -> None:
    sql, says = BREAKS[name]
    result = after(sql)
    assert (result.status, result.blocks) == ("broken", True)
    assert {row["problem"] for row in result.offending_rows} == says


def test_the_row_says_where_and_by_how_much(after: JudgeAfter) -> None:
    result = after(BREAKS["a movement is a cent off"][0])
    row = result.offending_rows[0]
    assert (row["period_kind"], str(row["period_start_date"])[:10]) == ("month", "2026-03-01")
    assert (row["scope_kind"], row["scope"]) == ("company", "company")
    assert row["difference_minor"] in (1, -1)


def test_it_cannot_be_waived(after: JudgeAfter) -> None:
    waiver = (
        "insert into audit.plan_waiver values (1, 'B4', 'scope=company', 'later', '2026-04-15')"
    )
    result = after(f"{BREAKS['a movement is a cent off'][0]}; {waiver}")
    assert (result.status, result.blocks) == ("broken", True)
