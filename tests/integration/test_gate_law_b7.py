"""Law B7 through Great Expectations: reconciled claims hold, and every way not to be breaks it.

The books are `test_gate_holds.sql`; what computes the lines is tested in test_dbt_claims.py.
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

BOOKS = Path(__file__).with_name("test_gate_holds.sql").read_text(encoding="utf-8")
BRIDGE = "main.rpt_claims_bridge__period"

JudgeAfter = Callable[[str], LawResult]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """One warm judge for all cases."""
    with Judge.start(memory="1GB", threads=1) as started:
        yield started


@pytest.fixture
def after(judge: Judge, tmp_path: Path) -> JudgeAfter:
    """What B7 says of the sound books after some SQL."""
    laws = tmp_path / "laws"
    laws.mkdir()
    shutil.copy(LAWS_FOLDER / "B7.sql", laws)

    def judged(sql: str) -> LawResult:
        path = tmp_path / "tieout.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(BOOKS)
            connection.execute(sql)
        verdict = judge.verdict(path, laws=laws)
        assert verdict.error is None
        return verdict.result("B7")

    return judged


def test_reconciled_claims_hold(after: JudgeAfter) -> None:
    result = after("select 1")
    assert (result.status, result.expected, result.actual) == ("held", 0, 0)
    assert (result.checked, result.unit, result.severity) == (3, "rows", "block")


EMPTY = f"delete from audit.claim; delete from {BRIDGE}; delete from main.rpt_claims_bridge__record"


def test_without_claims_there_is_nothing_to_judge(after: JudgeAfter) -> None:
    result = after(f"{EMPTY}; delete from audit.row_reason where table_name = 'claims'")
    assert (result.status, result.reason) == ("not applicable", "no claims")


def test_what_is_claimed_after_as_of_is_no_claim_yet(after: JudgeAfter) -> None:
    later = "'crm', 'sales', 'sals', 'company', null, null, 9, null, false, false"
    result = after(f"{EMPTY}; insert into audit.claim values ({later}, '2026-03-01', '2026-04-01')")
    assert (result.status, result.reason) == ("not applicable", "no claims")


def test_claims_that_landed_and_are_gone_do_not_pass(after: JudgeAfter) -> None:
    assert after(EMPTY).status == "broken"


#: What is done to the sound books, whose claim it concerns, and what the law must say.
BREAKS: dict[str, tuple[str, str, str]] = {
    "nobody says why": (
        f"update {BRIDGE} set value = 1 where department = 'marketing' and line = 'unexplained';"
        f" update {BRIDGE} set value = 4 where department = 'marketing' and line = 'claim';"
        " update audit.claim set value = 4 where department = 'marketing'",
        "marketing",
        "the claim differs from the books, and nobody says why",
    ),
    "a cent is unexplained": (
        f"update {BRIDGE} set value = 0.01, value_minor = 1 where line = 'unexplained'"
        f" and department = 'finance'; update {BRIDGE} set value = 105.01, value_minor = 10501"
        " where line = 'claim' and department = 'finance';"
        " update audit.claim set value_minor = 10501 where department = 'finance'",
        "finance",
        "the claim differs from the books, and nobody says why",
    ),
    "a line was made larger": (
        f"update {BRIDGE} set value = 3 where line = 'not_synced'",
        "sales",
        "the lines do not add up to the books",
    ),
    "a line is unknown": (
        f"update {BRIDGE} set value = null where line = 'not_synced'",
        "sales",
        "the lines do not add up to the books",
    ),
    "what is unexplained is unknown": (
        f"update {BRIDGE} set value = null where line = 'unexplained' and department = 'sales'",
        "sales",
        "the lines do not add up to the books",
    ),
    "a reason is gone, and the remainder with it": (
        f"delete from {BRIDGE} where department = 'marketing' and line <> 'claim'",
        "marketing",
        "the bridge lacks its claim, its remainder or its books, or has one twice",
    ),
    "a claim without a bridge": (
        f"delete from {BRIDGE} where department = 'marketing';"
        " delete from main.rpt_claims_bridge__record",
        "marketing",
        "the bridge lacks its claim, its remainder or its books, or has one twice",
    ),
    "a bridge without a claim": (
        "delete from audit.claim where department = 'sales'",
        "sales",
        "a bridge from no claim",
    ),
    "a line stands twice": (
        f"insert into {BRIDGE} select * from {BRIDGE} where line = 'books' and metric = 'spend'",
        "finance",
        "the bridge lacks its claim, its remainder or its books, or has one twice",
    ),
    "another number than was claimed": (
        "update audit.claim set value = 5 where department = 'sales'",
        "sales",
        "the bridge does not begin with the claim",
    ),
    "a computed line without its records": (
        "delete from main.rpt_claims_bridge__record",
        "marketing",
        "a computed line is not the sum of its records",
    ),
    "records that no line has": (
        "insert into main.rpt_claims_bridge__record values ('sales', 'accepted_leads', 'company',"
        " '2026-03-01', '2026-04-01', 'merged', 'M1', 1, null)",
        "sales",
        "a computed line is not the sum of its records",
    ),
    "books that the published leads do not give": (
        "delete from main.fct_lead where lead_id = 'L2'",
        "marketing",
        "the books in the bridge are not what the published tables give",
    ),
    "books that the published milestones do not give": (
        "update main.fct_lead set first_sal_at = '2026-03-01 04:59' where lead_id = 'L1'",
        "sales",
        "the books in the bridge are not what the published tables give",
    ),
    "books that the published spend does not give": (
        "update main.fct_spend__campaign_daily set amount_minor = amount_minor + 1"
        " where kind = 'overhead'",
        "finance",
        "the books in the bridge are not what the published tables give",
    ),
    "a claim that cannot be compared": (
        "update audit.claim set problem = 'a claim of money without a currency'"
        " where department = 'finance'",
        "finance",
        "a claim of money without a currency",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_claim_that_is_not_reconciled_breaks(name: str, after: JudgeAfter) -> None:
    sql, department, problem = BREAKS[name]
    result = after(sql)
    assert (result.status, result.blocks) == ("broken", True)
    assert [(row["department"], row["problem"]) for row in result.offending_rows] == [
        (department, problem)
    ]


def test_the_row_says_which_claim_and_by_how_much(after: JudgeAfter) -> None:
    result = after(BREAKS["a cent is unexplained"][0])
    (row,) = result.offending_rows
    assert row["feed"] == "crm"
    assert (row["metric"], row["scope"]) == ("spend", "company")
    assert str(row["period_start_date"])[:10] == "2026-02-01"
    assert [float(row[name]) for name in ("claim", "explained", "unexplained", "books")] == [
        105.01, 0, 0.01, 105,
    ]  # fmt: skip


def test_a_plan_that_counts_otherwise_is_not_held_against_first_entries(after: JudgeAfter) -> None:
    """Where the plan has every entry counted, fct_lead's first ones do not give the books."""
    moved = BREAKS["books that the published milestones do not give"][0]
    assert after(f"{moved}; update audit.claim set is_as_published = false").status == "held"


def test_a_waiver_covers_its_claim_only(after: JudgeAfter) -> None:
    waiver = (
        "insert into audit.plan_waiver values (1, 'B7', 'department=sales; metric=accepted_leads',"
        " 'the new CRM', '2026-04-15')"
    )
    one = BREAKS["a line was made larger"][0]
    assert after(f"{one}; {waiver}").status == "waived"


def test_a_waiver_of_one_claim_does_not_cover_another(after: JudgeAfter) -> None:
    waiver = (
        "insert into audit.plan_waiver values (1, 'B7', 'department=sales', 'the new CRM',"
        " '2026-04-15')"
    )
    other = BREAKS["nobody says why"][0]
    result = after(f"{other}; {waiver}")
    assert (result.status, result.blocks) == ("broken", True)
