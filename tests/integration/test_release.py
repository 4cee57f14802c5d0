"""Freeze, seal, promote, roll back, verify: what a release holds and what is refused."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.cli import publications as cli
from orchestration.lib.release import history
from orchestration.lib.release.diff import diff
from orchestration.lib.release.errors import PromotionRefusedError, ReleaseError
from orchestration.lib.release.folders import (
    DATABASE,
    RECEIPT,
    SCORECARD,
    blocked_folder,
    file_sha256,
    remove_folder,
)
from orchestration.lib.release.freeze import load_candidate, published_tables
from orchestration.lib.release.promote import (
    next_number,
    promote,
    publication,
    publications,
    rollback,
    set_aside,
)
from orchestration.lib.release.receipt import Receipt, read_receipt
from orchestration.lib.release.seal import Facts, seal
from orchestration.lib.release.verify import verify
from orchestration.lib.scorecard.shown import show
from orchestration.settings import Home
from tests.support.releases import (
    LAWS,
    Books,
    frozen,
    law_result,
    publish,
    sealed,
    small_page,
    verdict,
    write_warehouse,
)

MARCH = "2026-03-01"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    yield made
    for folder in made.releases.glob("*"):
        remove_folder(folder)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_release_holds_what_is_published_and_nothing_else(home: Home) -> None:
    kept = publish(home)
    tables = rows(
        kept.database, "select table_schema || '.' || table_name from information_schema.tables"
    )
    names = {name for (name,) in tables}
    assert names == {
        "main.rpt_stage_balance__campaign_cohort",
        "main.fct_dollar_journal__entry",
        "main.fct_lead",
        "main.dim_mark",
        "audit.run",
        "audit.freshness",
        "audit.definition",
        "meta.publication",
        "meta.law_result",
        "meta.law_row",
        "meta.change",
        "meta.freshness",
    }


def test_not_null_and_comments_come_along(home: Home) -> None:
    kept = publish(home)
    facts = rows(
        kept.database,
        "select is_nullable, comment from duckdb_columns() where table_name = 'dim_mark'",
    )
    assert facts == [(False, "It's the mark.")]
    comments = rows(
        kept.database, "select comment from duckdb_tables() where table_name = 'dim_mark'"
    )
    assert comments == [("The dim_mark.",)]


def test_published_files_are_read_only_and_have_no_wal(home: Home) -> None:
    kept = publish(home)
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o555
    assert {entry.name for entry in kept.folder.iterdir()} == {DATABASE, RECEIPT, SCORECARD}
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in kept.folder.iterdir()} == {0o444}
    assert home.current.readlink() == Path("releases/1")


def test_the_same_books_have_the_same_content_hash_in_any_order_of_rows(home: Home) -> None:
    leads = [(f"L{n}", "a", MARCH, "2026-03-02 00:00:00") for n in range(50)]
    _, first = sealed(home, Books(leads=leads))
    _, second = sealed(home, Books(leads=leads[::-1]))
    assert first.content_sha256 == second.content_sha256
    assert first.sealed_at != second.sealed_at


@pytest.mark.parametrize(
    "leads",
    [
        [("L1", "a", MARCH, "2026-03-02 00:00:00")],
        [("L1", "a", MARCH, "2026-03-02 00:00:00")] * 3,
        [("L1", "b", MARCH, "2026-03-02 00:00:00"), ("L2", "a", MARCH, "2026-03-02 00:00:00")],
        [("L1", None, MARCH, "2026-03-02 00:00:00"), ("L2", "b", MARCH, "2026-03-02 00:00:00")],
    ],
    ids=["row removed", "row doubled", "values swapped", "value emptied"],
)
def test_other_rows_have_another_content_hash(
    home: Home, leads: list[tuple[str, str, str, str]]
) -> None:
    original = [
        ("L1", "a", MARCH, "2026-03-02 00:00:00"),
        ("L2", "b", MARCH, "2026-03-02 00:00:00"),
    ]
    _, first = sealed(home, Books(leads=original))
    _, second = sealed(home, Books(leads=leads))
    assert first.content_sha256 != second.content_sha256


def test_meta_says_what_was_judged(home: Home) -> None:
    broken = law_result(
        "B2",
        severity="warn",
        status="broken",
        actual=4,
        difference=-1,
        offending_count=1,
        offending_rows=[{"email": "a@b.org", "value": "ask c.d@e.com", "amount_minor": 4}],
    )
    candidate, receipt = sealed(home, Books(), verdict(law_result("B1"), broken))
    kept = promote(home, candidate.folder, LAWS)
    assert receipt.passed
    assert rows(kept.database, "select law, status, difference from meta.law_result") == [
        ("B1", "held", 0),
        ("B2", "broken", -1),
    ]
    ((row,),) = rows(kept.database, "select row_json from meta.law_row")
    assert json.loads(str(row)) == {"value": "ask (e-mail)", "amount_minor": 4}
    (facts,) = rows(
        kept.database,
        "select number, previous_number, content_sha256, has_passed from meta.publication",
    )
    assert facts == (1, None, receipt.content_sha256, True)
    assert rows(kept.database, "select feed, is_late from meta.freshness") == [("ads", False)]


def test_a_sealed_candidate_is_not_sealed_again(home: Home) -> None:
    candidate, _ = sealed(home, Books())
    with pytest.raises(ReleaseError, match="not the file that was frozen"):
        seal(home, candidate, verdict(), Facts("code-1"), small_page)


def test_a_candidate_changed_while_it_was_judged_is_not_sealed(home: Home) -> None:
    candidate = frozen(home, Books())
    with duckdb.connect(str(candidate.database)) as connection:
        connection.execute("update dim_mark set mark = 99")
    with pytest.raises(ReleaseError, match="not the file that was frozen"):
        seal(home, candidate, verdict(), Facts("code-1"), small_page)


def test_another_process_can_take_up_the_frozen_candidate(home: Home) -> None:
    candidate = frozen(home, Books())
    assert load_candidate(home) == candidate


def test_a_manifest_that_publishes_nothing_is_an_error(home: Home) -> None:
    manifest = write_warehouse(home, Books())
    manifest.write_text('{"nodes": {}}')
    with pytest.raises(ReleaseError, match="marks no model as published"):
        published_tables(manifest)


def _tamper(folder: Path) -> None:
    with (folder / DATABASE).open("r+b") as stream:
        stream.seek(20_000)
        stream.write(b"\xff")


def _other_receipt(folder: Path) -> None:
    fields = json.loads((folder / RECEIPT).read_text())
    (folder / RECEIPT).write_text(json.dumps(fields | {"file_sha256": "0" * 64}))


def _no_receipt(folder: Path) -> None:
    (folder / RECEIPT).unlink()


def _garbage(folder: Path) -> None:
    (folder / RECEIPT).write_text("{}")


def _short_list(folder: Path) -> None:
    fields = json.loads((folder / RECEIPT).read_text())
    (folder / RECEIPT).write_text(json.dumps(fields | {"laws": fields["laws"][:1]}))


def _not_passed(folder: Path) -> None:
    fields = json.loads((folder / RECEIPT).read_text())
    (folder / RECEIPT).write_text(json.dumps(fields | {"passed": False}))


def _law_erred(folder: Path) -> None:
    fields = json.loads((folder / RECEIPT).read_text())
    fields["laws"][1] |= {"severity": "warn", "status": "error"}
    (folder / RECEIPT).write_text(json.dumps(fields))


def _wal(folder: Path) -> None:
    (folder / f"{DATABASE}.wal").write_text("")


def _no_page(folder: Path) -> None:
    (folder / SCORECARD).unlink()


def _other_page(folder: Path) -> None:
    (folder / SCORECARD).write_text("all is well")


def _page_of_nobody(folder: Path) -> None:
    fields = json.loads((folder / RECEIPT).read_text())
    (folder / RECEIPT).write_text(json.dumps(fields | {"scorecard_sha256": None}))


def _nothing(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_tamper, "changed after it was judged"),
        (_other_receipt, "the receipt is another file's"),
        (_no_receipt, "there is no receipt"),
        (_garbage, "is not a receipt"),
        (_short_list, "says nothing of B2"),
        (_not_passed, "the gate did not pass it"),
        (_law_erred, r"blocked by B2 \(error\)"),
        (_wal, "opened for writing"),
        (_no_page, "scorecard.html is missing"),
        (_other_page, "changed after it was made"),
        (_page_of_nobody, "it has no scorecard"),
        (_nothing, "there is no candidate"),
    ],
)
def test_promotion_is_refused(home: Home, change: Callable[[Path], None], says: str) -> None:
    before = publish(home)
    sha256 = file_sha256(home.current_database)
    candidate, _ = sealed(home, Books())
    change(candidate.folder)
    with pytest.raises(ReleaseError, match=says):
        promote(home, candidate.folder, LAWS)
    assert file_sha256(home.current_database) == sha256
    assert [kept.number for kept in publications(home)] == [before.number]


def test_a_page_that_cannot_be_made_publishes_nothing(home: Home) -> None:
    publish(home)
    candidate = frozen(home, Books())

    def fail(_: Path) -> str:
        raise ReleaseError("no page", why="a test", next_step="none")

    with pytest.raises(ReleaseError, match="no page"):
        seal(home, candidate, verdict(), Facts("code-1"), fail)
    with pytest.raises(PromotionRefusedError, match="the gate has not judged it"):
        promote(home, candidate.folder, LAWS)
    assert rows(home.current_database, "select mark from dim_mark") == [(1,)]
    assert publish(home).number == 2


def test_a_blocked_candidate_has_no_page(home: Home) -> None:
    assert blocked(home).scorecard_sha256 is None
    assert not (blocked_folder(home) / SCORECARD).exists()


def test_a_frozen_candidate_that_nobody_judged_is_refused(home: Home) -> None:
    candidate = frozen(home, Books())
    with pytest.raises(PromotionRefusedError, match="the gate has not judged it"):
        promote(home, candidate.folder, LAWS)


def test_a_candidate_is_refused_after_another_was_published(home: Home) -> None:
    candidate, _ = sealed(home, Books())
    waiting = candidate.folder.rename(home.work / "waiting")
    publish(home)
    with pytest.raises(PromotionRefusedError, match="another was published since"):
        promote(home, waiting, LAWS)


def blocked(home: Home) -> Receipt:
    broken = law_result("B2", status="broken", offending_count=1)
    candidate, receipt = sealed(home, Books(), verdict(law_result("B1"), broken))
    with pytest.raises(PromotionRefusedError, match=r"blocked by B2 \(broken\)"):
        promote(home, candidate.folder, LAWS)
    set_aside(home, candidate.folder)
    return receipt


def test_only_the_newest_blocked_candidate_is_kept(home: Home) -> None:
    publish(home)
    sha256 = file_sha256(home.current_database)
    blocked(home)
    newest = blocked(home)
    assert read_receipt(blocked_folder(home) / RECEIPT) == newest
    assert not home.candidate.exists()
    assert file_sha256(home.current_database) == sha256
    assert [event.action for event in history.read_history(home)] == [
        "published",
        "blocked",
        "blocked",
    ]
    assert publish(home).number == 2


@dataclass
class Text:
    """What people are told of a law."""

    what_to_do: str = "Compare <both> sides."


def test_blocked_runs_put_a_banner_on_the_last_good_page(home: Home) -> None:
    kept = publish(home)
    page = (kept.folder / SCORECARD).read_text()
    show(home, {})
    assert home.scorecard.read_text() == page
    blocked(home)
    blocked(home)
    first, _ = (event.at for event in history.read_history(home) if event.action == "blocked")
    show(home, {"B2": Text()})
    shown = home.scorecard.read_text()
    assert f"Blocked since {first[:16].replace('T', ' ')} UTC" in shown
    for words in (
        "the last good publication, number 1",
        "2 runs in a row were not published",
        "B2 law B2</strong>: broken, 1 row",
        "Whose move: RevOps",
        "Compare &lt;both&gt; sides.",
        "tieout explain B2",
    ):
        assert words in shown, words
    assert (kept.folder / SCORECARD).read_text() == page
    assert publish(home).number == 2
    show(home, {})
    assert "Blocked" not in home.scorecard.read_text()


def test_a_block_before_any_publication_is_told_too(home: Home) -> None:
    blocked(home)
    shown = show(home, {"B2": Text()}).read_text()
    assert "nothing has been published yet" in shown
    assert "Compare &lt;both&gt; sides." in shown


def test_rollback_shows_the_older_release_and_counts_on(home: Home) -> None:
    publish(home)
    publish(home)
    shown = rollback(home, 1, "wrong rates")
    assert shown.is_current
    assert rows(home.current_database, "select mark from dim_mark") == [(1,)]
    event = history.read_history(home)[-1]
    assert (event.action, event.number, event.reason) == ("rolled back", 1, "wrong rates")
    kept = publish(home)
    assert (kept.number, kept.receipt.previous) == (3, 1)
    assert [(one.number, one.is_current) for one in publications(home)] == [
        (1, False),
        (2, False),
        (3, True),
    ]


def test_rollback_refuses_what_it_should(home: Home) -> None:
    kept = publish(home)
    publish(home)
    with pytest.raises(ReleaseError, match="no publication 7"):
        rollback(home, 7, "why not")
    with pytest.raises(ReleaseError, match="needs a reason"):
        rollback(home, 1, " ")
    with pytest.raises(ReleaseError, match="see already"):
        rollback(home, 2, "again")
    kept.database.chmod(0o644)
    _tamper(kept.folder)
    with pytest.raises(ReleaseError, match="cannot be shown again"):
        rollback(home, 1, "back")


def test_verify_finds_a_changed_file_and_a_changed_receipt(home: Home) -> None:
    first, second = publish(home), publish(home)
    assert verify(home, first).is_whole
    first.database.chmod(0o644)
    _tamper(first.folder)
    assert "SHA-256" in verify(home, first).damages[0]
    (second.folder / RECEIPT).chmod(0o644)
    (second.folder / RECEIPT).write_text(
        (second.folder / RECEIPT).read_text().replace("code-1", "code-2")
    )
    found = verify(home, publication(home, 2))
    assert found.damages == ("the receipt is not the one that was published",)


# --- What changed, and why -----------------------------------------------------------------------

FEB = "2026-01-01"
SPEND = (
    "2026-01-05 00:00:00",
    "2026-01-06 00:00:00",
    "a",
    FEB,
    "funding",
    "in_market",
    100,
    "spend",
)
MOVE = (
    "2026-01-07 00:00:00",
    "2026-01-07 00:00:00",
    "a",
    FEB,
    "in_market",
    "lead",
    100,
    "allocation",
)
LEAD = ("L1", "a", FEB, "2026-01-07 00:00:00")


def base() -> Books:
    return Books(balances=[("a", FEB, "lead", 100, False)], entries=[SPEND, MOVE], leads=[LEAD])


def later(**changed: object) -> Books:
    books = base()
    books.as_of = "2026-02-11 00:00:00"
    for name, value in changed.items():
        setattr(books, name, value)
    return books


PROGRESS = ("2026-02-10 12:00:00", "2026-02-10 12:00:00", "a", FEB, "lead", "mql", 100, "move")
RESTATED = (
    "2026-02-10 12:00:00",
    "2026-02-10 12:00:00",
    "a",
    FEB,
    "funding",
    "in_market",
    7,
    "restatement",
)
SHARE = (
    "2026-02-10 12:00:00",
    "2026-02-10 12:00:00",
    "a",
    FEB,
    "in_market",
    "lead",
    7,
    "restated_share",
)
LATE = ("2026-01-09 00:00:00", "2026-02-10 12:00:00", "a", FEB, "funding", "in_market", 5, "spend")
IN_MQL = [("a", FEB, "mql", 100, False)]
MOVED = {("lead", -100), ("mql", 100)}

CASES = {
    "progress": (later(balances=IN_MQL, entries=[SPEND, MOVE, PROGRESS]), "code-2", MOVED),
    "restated spend": (
        later(balances=[("a", FEB, "lead", 107, False)], entries=[SPEND, MOVE, RESTATED, SHARE]),
        "code-1",
        {("lead", 7)},
    ),
    "late data": (
        later(
            balances=[("a", FEB, "lead", 100, False), ("a", FEB, "in_market", 5, False)],
            entries=[SPEND, MOVE, LATE],
        ),
        "code-2",
        {("in_market", 5)},
    ),
    "changed definition": (later(balances=IN_MQL, definition="d2"), "code-2", MOVED),
    "changed code": (later(balances=IN_MQL), "code-2", MOVED),
}


@pytest.mark.parametrize("cause", CASES)
def test_the_cause_of_a_change_is_named(home: Home, cause: str) -> None:
    books, code, expected = CASES[cause]
    publish(home, base())
    kept = publish(home, books, Facts(code))
    found = rows(kept.database, "select stage, difference, cause from meta.change")
    assert {(stage, difference) for stage, difference, _ in found} == expected
    assert {row[2] for row in found} == {cause}
    assert kept.receipt.changes == {cause: len(expected)}


def test_a_late_lead_is_late_data_and_is_counted(home: Home) -> None:
    publish(home, base())
    late_lead = ("L2", "a", FEB, "2026-01-08 00:00:00")
    books = later(balances=IN_MQL, leads=[LEAD, late_lead])
    kept = publish(home, books, Facts("code-2"))
    found = rows(kept.database, "select measure, difference, cause from meta.change")
    assert sorted(found) == [
        ("amount_minor", -100, "late data"),
        ("amount_minor", 100, "late data"),
        ("leads", 1, "late data"),
    ]


def test_a_plan_that_was_amended_is_named(home: Home) -> None:
    publish(home, base())
    kept = publish(home, later(balances=IN_MQL), Facts("code-1", plan_version="2"))
    assert kept.receipt.changes == {"amended plan": 2}


def test_an_open_cohort_that_got_spend_is_progress(home: Home) -> None:
    first = base()
    first.balances = [("a", FEB, "lead", 100, True)]
    publish(home, first)
    more = (
        "2026-02-10 12:00:00",
        "2026-02-10 12:00:00",
        "a",
        FEB,
        "funding",
        "in_market",
        9,
        "spend",
    )
    resplit = (*MOVE[:6], 109, "allocation")
    books = later(balances=[("a", FEB, "lead", 109, True)], entries=[SPEND, resplit, more])
    assert publish(home, books).receipt.changes == {"progress": 1}


def test_a_new_period_is_no_change(home: Home) -> None:
    publish(home, base())
    books = later(balances=[("a", FEB, "lead", 100, False), ("a", MARCH, "lead", 3, True)])
    assert publish(home, books).receipt.changes == {}


def test_diff_is_the_same_backwards_with_the_sign_turned(home: Home) -> None:
    one = publish(home, base())
    two = publish(home, later(balances=IN_MQL, entries=[SPEND, MOVE, PROGRESS]))
    forward, backward = diff(one, two), diff(two, one)
    assert {(c.stage, c.difference, c.cause) for c in forward.changes} == {
        ("lead", -100, "progress"),
        ("mql", 100, "progress"),
    }
    assert {(c.stage, c.difference, c.cause) for c in backward.changes} == {
        ("lead", 100, "progress"),
        ("mql", -100, "progress"),
    }
    assert not forward.has_same_content
    assert diff(one, one).has_same_content


# --- The command line ----------------------------------------------------------------------------


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("TIEOUT_HOME", str(home.root))

    def call(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli.app, list(words))
        return result.exit_code, result.output

    return call


def test_the_commands_answer(home: Home, run: Callable[..., tuple[int, str]]) -> None:
    publish(home, base())
    publish(home, later(balances=IN_MQL, entries=[SPEND, MOVE, PROGRESS]))
    code, text = run("list")
    assert code == 0
    assert text.splitlines()[1].startswith("*  2")
    assert json.loads(run("list", "--json")[1])[0]["is_current"] is True
    assert "+100" in run("diff", "1", "2")[1]
    assert json.loads(run("diff", "1", "2", "--json")[1])["changes"][0]["cause"] == "progress"
    assert run("rollback", "1")[0] == 2
    code, text = run("rollback", "1", "--reason", "a test")
    assert (code, text) == (0, "readers see publication 1 again, as of 2026-02-10T00:00:00Z\n")
    assert home.scorecard.read_text() == (home.current / SCORECARD).read_text()
    assert run("verify") == (0, "publication 1: whole\npublication 2: whole\n")
    code, text = run("verify", "9")
    assert code == 1
    assert "no publication 9" in text


def test_verify_exits_1_when_a_release_is_damaged(
    home: Home, run: Callable[..., tuple[int, str]]
) -> None:
    kept = publish(home)
    kept.database.chmod(0o644)
    _tamper(kept.folder)
    code, text = run("verify", "1", "--json")
    assert code == 1
    assert json.loads(text)[0]["is_whole"] is False


def test_an_empty_home_has_no_publications(home: Home, run: Callable[..., tuple[int, str]]) -> None:
    assert run("list") == (0, "nothing is published yet: `tieout run`\n")
    assert next_number(home) == 1
