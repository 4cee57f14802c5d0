"""Law B6 through Great Expectations: what was kept of every entity is what was published.

The books are `test_gate_holds.sql`, with some contacts, touches, campaigns, merges and revenue; the
cases that need none of these are in test_gate_laws.py.
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

#: What a company with every entity adds to them.
MORE = """
insert into audit.row values
('crm', 'contacts', 4, 2, 1, 1, 0, 0),
('crm', 'touches', 9, 7, 1, 1, 0, 0),
('crm', 'campaigns', 2, 2, 0, 0, 0, 0),
('crm', 'merges', 3, 1, 0, 1, 0, 1),
('crm', 'revenue', 2, 2, 0, 0, 0, 0);
insert into audit.row_reason values
('crm', 'contacts', 'excluded', 'rule: staff', 1),
('crm', 'touches', 'excluded', 'its lead is excluded', 1),
('crm', 'merges', 'excluded', 'merged after as_of', 1);
insert into main.fct_identity__record values
('contact', 'C1', repeat('1', 64), false), ('contact', 'C2', repeat('3', 64), false),
('contact', 'C0', repeat('3', 64), true);
insert into main.rpt_identity__match values
('touch', 'person', 'id', 4), ('touch', 'person', 'none', 2), ('touch', 'person', 'ambiguous', 1),
('touch', 'account', 'none', 7);
update main.dim_campaign set is_declared = true
where campaign_key in ('Google Ads / A', 'Google Ads / B');
insert into main.dim_merge values
('contact', 'C0', 'C2', 'merges', 'merged'), ('lead', 'L8', null, 'merges', 'merged in a circle');
insert into main.fct_revenue__item values ('crm', 'R1'), ('crm', 'R1');
"""

JudgeAfter = Callable[[str], LawResult]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """One warm judge for all cases."""
    with Judge.start(memory="1GB", threads=1) as started:
        yield started


@pytest.fixture
def after(judge: Judge, tmp_path: Path) -> JudgeAfter:
    """What B6 says of the sound books after some SQL."""
    laws = tmp_path / "laws"
    laws.mkdir()
    shutil.copy(LAWS_FOLDER / "B6.sql", laws)

    def judged(sql: str) -> LawResult:
        path = tmp_path / "tieout.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(BOOKS)
            connection.execute(MORE)
            connection.execute(sql)
        verdict = judge.verdict(path, laws=laws)
        assert verdict.error is None
        return verdict.result("B6")

    return judged


def test_books_with_every_entity_hold(after: JudgeAfter) -> None:
    result = after("select 1")
    assert (result.status, result.expected, result.actual) == ("held", 38, 38)
    assert (result.checked, result.unit, result.severity) == (9, "rows", "block")


#: What happens to the published tables, whose entity is short or over, which table, by how much.
BREAKS = {
    "an opportunity was kept and not published": (
        "delete from main.fct_opportunity", "opportunities", "fct_opportunity", -1
    ),
    "an opportunity is published that nobody delivered": (
        "insert into main.fct_opportunity values ('crm', 'O2', 'Open', 'opportunity', 1)",
        "opportunities", "fct_opportunity", 1,
    ),
    "a lead is in the books and nobody": (
        "delete from main.fct_identity__record where record_id = 'L1'",
        "leads", "fct_identity__record", -1,
    ),
    "a merged lead is counted as one of its own": (
        "update main.fct_identity__record set is_merged = false where record_id = 'L0'",
        "leads", "fct_identity__record", 1,
    ),
    "a contact is gone": (
        "delete from main.fct_identity__record where record_id = 'C2'",
        "contacts", "fct_identity__record", -1,
    ),
    "touches fell out on the way to their persons": (
        "update main.rpt_identity__match set records = 1 where match_method = 'none'"
        " and party = 'person'",
        "touches", "rpt_identity__match", -1,
    ),
    "the report of matches is empty": (
        "delete from main.rpt_identity__match", "touches", "rpt_identity__match", -7
    ),
    "a listed campaign is not published": (
        "update main.dim_campaign set is_declared = false where campaign_key = 'Google Ads / B'",
        "campaigns", "dim_campaign", -1,
    ),
    "a merge in force is not in the map": (
        "delete from main.dim_merge where record_id = 'C0'", "merges", "dim_merge", -1
    ),
    "an item of revenue was lost": (
        "delete from main.fct_revenue__item", "revenue", "fct_revenue__item", -2
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_published_tables_hold_what_was_kept(name: str, after: JudgeAfter) -> None:
    sql, table_name, published_table, difference = BREAKS[name]
    result = after(sql)
    assert result.status == "broken"
    assert [
        (row["table_name"], row["difference_rows"], str(row["problem"]).partition(": ")[2])
        for row in result.offending_rows
    ] == [(table_name, difference, published_table)]


def test_merged_contact_must_have_a_reason_too(after: JudgeAfter) -> None:
    result = after(
        "update audit.row_reason set reason = null where table_name = 'contacts'"
        " and disposition = 'excluded'"
    )
    assert result.status == "broken"
    assert "left out without a reason" in str(result.offending_rows[0]["problem"])
