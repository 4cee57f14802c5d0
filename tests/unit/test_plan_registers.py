"""Registers: what may be added, by whom, and what is found when a row is not what was signed."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.lib.plan import registers as module
from orchestration.lib.plan.contract import Contract
from orchestration.lib.plan.files import canonical_json, lines_of
from orchestration.lib.plan.folder import write_plan
from orchestration.lib.plan.locking import inspect
from orchestration.lib.plan.registers import (
    REGISTERS,
    RegisterError,
    append,
    read_register,
    read_registers,
)
from orchestration.lib.plan.tables import TABLES
from tests.support.contracts import (
    SIGNERS,
    fill_registers,
    key_of,
    locked,
    people,
    signers,
    small_plan,
    two_versions,
)

AT = datetime(2026, 2, 10, 9, 30, 15)
COMMITMENT: dict[str, Any] = {
    "campaign_key": "google/1",
    "cohort_start_date": date(2026, 2, 1),
    "metric": "rate_mql_sal",
    "rate": Decimal("0.4"),
    "window_days": 30,
}
NOTE: dict[str, Any] = {
    "item": "V-17",
    "why": "The form was broken",
    "action": "It was mended",
    "due_date": date(2026, 2, 20),
    "closes": False,
}
WAIVER: dict[str, Any] = {
    "law": "P2",
    "scope": "all",
    "reason": "First quarter",
    "expires_on": date(2026, 3, 1),
}
EXPLANATION: dict[str, Any] = {
    "department": "marketing",
    "metric": "mqls",
    "period_start_date": date(2026, 1, 1),
    "period_end_date": date(2026, 2, 1),
    "scope": "company",
    "reason": "not_synced",
    "value": Decimal("-12.5"),
    "note": "The fair's leads",
}
VALUES = {
    "commitments": COMMITMENT,
    "notes": NOTE,
    "waivers": WAIVER,
    "explanations": EXPLANATION,
}
WHO = {
    "commitments": ("sally",),
    "notes": ("rene",),
    "waivers": ("mia", "sam"),
    "explanations": ("rene",),
}


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One signed version, to be copied."""
    root = tmp_path_factory.mktemp("signed") / "plan"
    locked(root, small_plan(), datetime(2025, 12, 20), SIGNERS.values())
    shutil.rmtree(root / "draft")
    return root


@pytest.fixture
def root(signed: Path, tmp_path: Path) -> Path:
    shutil.copytree(signed, tmp_path / "plan")
    return tmp_path / "plan"


def add(root: Path, register: str, *, at: datetime = AT, **values: Any) -> int:
    return append(root, register, VALUES[register] | values, signers(*WHO[register]), at=at)


def told(root: Path, register: str, contract: Contract | None = None) -> str:
    read = read_register(root, register, contract or inspect(root))
    return "\n".join(map(str, read.findings))


# --- Adding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("register", REGISTERS)
def test_what_is_added_is_read_back_with_the_columns_of_its_table(
    root: Path, register: str
) -> None:
    assert [add(root, register), add(root, register)] == [1, 2]
    contract = inspect(root)
    assert contract.findings == ()
    read = read_register(root, register, contract)
    assert read.findings == ()
    table = TABLES[REGISTERS[register].table]
    for number, row in enumerate(read.rows, start=1):
        assert list(row) == [column.name for column in table.columns]
        assert row["number"] == number
        assert {name: row[name] for name in VALUES[register]} == VALUES[register]
        assert row[REGISTERS[register].at] == AT
    assert read_registers(root, contract)[register] == read


def test_who_signed_is_told(root: Path) -> None:
    add(root, "commitments")
    add(root, "waivers")
    contract = inspect(root)
    assert read_register(root, "commitments", contract).rows[0]["committed_by"] == "sally"
    waiver = read_register(root, "waivers", contract).rows[0]
    assert waiver["waived_by"] == "marketing: mia; sales: sam"


def test_a_moment_is_kept_in_utc(root: Path) -> None:
    chatham = datetime.fromisoformat("2026-02-10T22:15:15.5+12:45")
    add(root, "notes", at=chatham)
    row = read_register(root, "notes", inspect(root)).rows[0]
    assert row["noted_at"] == datetime(2026, 2, 10, 9, 30, 15)


def test_values_may_be_texts_and_are_kept_in_one_form(root: Path) -> None:
    add(root, "commitments", rate="0.40", window_days="030", cohort_start_date="2026-02-01")
    add(root, "waivers", scope=" campaign_key = a=b ;version= 1 ")
    add(root, "waivers", scope="ALL")
    contract = inspect(root)
    assert read_register(root, "commitments", contract).rows[0]["rate"] == Decimal("0.4")
    scopes = [row["scope"] for row in read_register(root, "waivers", contract).rows]
    assert scopes == ["campaign_key=a=b; version=1", "all"]


@pytest.mark.parametrize(
    ("register", "values", "message"),
    [
        ("commitments", {"rate": "40"}, r"rate: found '40', expected 0 to 1; a share of 40 %"),
        ("commitments", {"rate": "-0.1"}, "rate: found '-0.1'"),
        ("commitments", {"rate": "much"}, "expected a number"),
        ("commitments", {"metric": "mqls"}, "metric: found 'mqls', expected one of rate_lead_mql"),
        ("commitments", {"metric": "rate_mql_sla"}, "did you mean 'rate_mql_sal'"),
        ("commitments", {"window_days": 0}, "window_days: found '0'"),
        ("commitments", {"cohort_start_date": "1.2.2026"}, "expected a date such as 2026-01-31"),
        (
            "commitments",
            {"campaign_key": " "},
            "campaign_key: found nothing, expected the campaign",
        ),
        ("commitments", {"campaign": "x"}, "did you mean 'campaign_key'"),
        ("notes", {"why": "two\nlines"}, "expected one line"),
        ("notes", {"due_date": "2026-02-09"}, "due_date: found 2026-02-09, expected 2026-02-10"),
        ("notes", {"closes": "perhaps"}, "closes: found 'perhaps', expected yes or no"),
        ("waivers", {"expires_on": "2026-02-10"}, "expected a day after 2026-02-10"),
        ("waivers", {"scope": "version"}, "expected all, or conditions"),
        ("waivers", {"scope": "all; version=1"}, "expected all, or conditions"),
        ("waivers", {"scope": "version="}, "expected all, or conditions"),
        ("waivers", {"scope": ";"}, "expected all, or conditions"),
        ("waivers", {"reason": ""}, "reason: found nothing"),
        ("explanations", {"period_end_date": "2026-01-01"}, "expected a day after 2026-01-01"),
        ("explanations", {"reason": "not synced"}, "did you mean 'not_synced'"),
        ("explanations", {"metric": "acv"}, "metric: found 'acv'"),
        ("explanations", {"scope": "campaign"}, "expected company, segment"),
    ],
)
def test_values_that_are_none(
    root: Path, register: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(RegisterError, match=message):
        add(root, register, **values)
    assert not (root / f"{register}.csv").exists()
    assert not (root / "registers.json").exists()


def test_every_wrong_value_is_told_at_once(root: Path) -> None:
    with pytest.raises(RegisterError) as caught:
        append(root, "commitments", {"rate": "2"}, signers("sally"), at=AT)
    for name in COMMITMENT:
        assert f"{name}: found" in str(caught.value)


def test_a_note_that_closes_may_be_due_before(root: Path) -> None:
    assert add(root, "notes", due_date=date(2026, 2, 1), closes=True) == 1


def test_a_waiver_is_of_a_law_that_can_be_waived(root: Path) -> None:
    laws = {"P2", "P3", "B13"}
    with pytest.raises(
        RegisterError, match="found 'P5', expected a law that can be waived: B13, P"
    ):
        append(root, "waivers", WAIVER | {"law": "P5"}, signers("mia", "sam"), at=AT, laws=laws)
    assert append(root, "waivers", WAIVER, signers("mia", "sam"), at=AT, laws=laws) == 1


@pytest.mark.parametrize(
    ("register", "who", "message"),
    [
        ("commitments", ("mia",), "found mia of marketing, expected one person of sales"),
        ("commitments", ("mia", "sam"), "expected one person of sales"),
        ("commitments", (), "found nobody, expected one person of sales"),
        ("notes", ("mia", "sam"), "expected one person"),
        ("notes", (), "found nobody"),
        ("waivers", ("mia",), "found mia of marketing, expected marketing and sales"),
        ("waivers", ("mia", "fred"), "expected marketing and sales: a waiver takes both"),
        ("waivers", ("mia", "sam", "fred"), "expected marketing and sales"),
        ("waivers", ("mia", "sally"), "sally does not sign for the department"),
        (
            "explanations",
            ("sam",),
            "expected one person of finance or revops, or who signs for mar",
        ),
        ("explanations", ("mia", "fred"), "expected one person of finance or revops"),
    ],
)
def test_who_may_not_add(root: Path, register: str, who: tuple[str, ...], message: str) -> None:
    with pytest.raises(RegisterError, match=message):
        append(root, register, VALUES[register], signers(*who), at=AT)
    assert not (root / f"{register}.csv").exists()


def test_who_may_explain_a_claim(root: Path) -> None:
    for number, person in enumerate(("fred", "rene", "mia"), start=1):
        assert append(root, "explanations", EXPLANATION, signers(person), at=AT) == number
    assert told(root, "explanations") == ""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sales": ("nina", key_of("nina"))}, "found the person 'nina', expected one of mia, sam"),
        ({"sales": ("saly", key_of("sally"))}, "did you mean 'sally'"),
        ({"sales": ("mia", key_of("mia"))}, "found mia for sales.*mia is of marketing"),
        ({"sales": ("sally", key_of("sam"))}, "the key given is not that of sally"),
    ],
)
def test_keys_that_are_not_theirs(root: Path, given: Any, message: str) -> None:
    with pytest.raises(RegisterError, match=message):
        append(root, "commitments", COMMITMENT, given, at=AT)


def test_a_person_without_a_usable_key_cannot_add(tmp_path: Path) -> None:
    root = tmp_path / "plan"
    rows = people(sally="", rene="01" + "0" * 62)
    plan = small_plan(sheets={"people": rows})
    locked(root, plan, AT, SIGNERS.values())
    with pytest.raises(RegisterError, match="sally cannot sign: found no public key"):
        add(root, "commitments")
    with pytest.raises(RegisterError, match="rene cannot sign: found a public key that anybody"):
        add(root, "notes")


def test_an_unknown_register_is_told(root: Path) -> None:
    with pytest.raises(RegisterError, match="expected one of commitments, notes, waivers"):
        append(root, "wishes", {}, {}, at=AT)


def test_a_row_is_added_whole_or_not_at_all(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(root, "notes")
    before = (root / "notes.csv").read_bytes()

    def full(path: Path, content: bytes) -> None:
        if path.name == "notes.csv":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_durably", full)
    with pytest.raises(OSError, match="No space"):
        add(root, "notes")
    assert (root / "notes.csv").read_bytes() == before


def test_a_writer_that_was_ended_before_the_heads_were_written_breaks_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.write_durably
    written: list[str] = []

    def ended(path: Path, content: bytes) -> None:
        if "notes.csv" in written:
            raise KeyboardInterrupt
        real(path, content)
        written.append(path.name)

    monkeypatch.setattr(module, "write_durably", ended)
    with pytest.raises(KeyboardInterrupt):
        add(root, "notes")
    monkeypatch.setattr(module, "write_durably", real)
    contract = inspect(root)
    assert contract.findings == ()
    assert len(read_register(root, "notes", contract).rows) == 1
    assert told(root, "notes", contract) == ""
    assert add(root, "notes") == 2


def test_two_who_add_at_once_lose_nothing(root: Path) -> None:
    failures: list[BaseException] = []

    def many() -> None:
        try:
            for _ in range(5):
                add(root, "notes")
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    read = read_register(root, "notes", inspect(root))
    assert [row["number"] for row in read.rows] == [*range(1, 21)]
    assert read.findings == ()


def test_nothing_is_added_to_what_was_changed(root: Path) -> None:
    add(root, "notes")
    path = root / "notes.csv"
    sound = path.read_bytes()
    path.write_bytes(sound.replace(b"mended", b"ended"))
    with pytest.raises(RegisterError, match=r"(?s)notes.csv is not what was signed.*notes.csv:2"):
        add(root, "notes")
    path.write_bytes(sound)
    (root / "v1/targets.csv").unlink()
    with pytest.raises(RegisterError, match=r"(?s)the contract is broken.*v1/targets.csv"):
        add(root, "notes")


words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1
).filter(lambda text: text.strip() and not text.startswith("\ufeff"))


@settings(max_examples=20)
@given(
    rows=st.lists(
        st.tuples(
            words,
            st.decimals(0, 1, places=9),
            st.integers(1, 3660),
            st.dates(),
            st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
        ),
        max_size=5,
    ),
    notes=st.lists(st.tuples(words, words, st.booleans()), max_size=4),
)
def test_any_rows_are_read_back_as_they_went_in(
    signed: Path, tmp_path_factory: pytest.TempPathFactory, rows: list[Any], notes: list[Any]
) -> None:
    root = tmp_path_factory.mktemp("rows") / "plan"
    shutil.copytree(signed, root)
    for campaign, rate, window, start, at in rows:
        values = (campaign, start, "rate_mql_sal", rate, window)
        append(
            root,
            "commitments",
            dict(zip(COMMITMENT, values, strict=True)),
            signers("sam"),
            at=at,
        )
    for item, why, closes in notes:
        add(root, "notes", item=item, why=why, closes=closes)
    contract = inspect(root)
    read = read_registers(root, contract)
    assert not contract.findings
    assert not any(register.findings for register in read.values())
    names = ("campaign_key", "rate", "window_days", "cohort_start_date", "committed_at")
    assert [tuple(row[name] for name in names) for row in read["commitments"].rows] == [
        (text(campaign), rate, window, start, at.replace(microsecond=0))
        for campaign, rate, window, start, at in rows
    ]
    assert [(row["item"], row["why"], row["closes"]) for row in read["notes"].rows] == [
        (text(item), text(why), closes) for item, why, closes in notes
    ]


def text(given: str) -> str:
    """As a plan keeps a text: one way to write an accent, no blanks around it."""
    from orchestration.lib.plan.model import parse
    from orchestration.lib.plan.sheets import Column

    return str(parse(Column("any", "text", ""), given))


# --- Before the first version, and across versions -----------------------------------------------


def test_before_the_first_version_the_drafts_people_sign(tmp_path: Path) -> None:
    root = tmp_path / "plan"
    with pytest.raises(
        RegisterError, match="found no version of the plan, expected one, or a draft"
    ):
        add(root, "waivers")
    plan = small_plan()
    write_plan(plan, root / "draft")
    assert add(root, "waivers") == 1
    assert add(root, "waivers") == 2
    contract = inspect(root)
    assert contract == Contract((), ())
    # A run reads no draft: nobody says yet whose keys count.
    assert read_register(root, "waivers", contract).rows == ()
    assert told(root, "waivers") == ""
    assert len(read_register(root, "waivers", contract, draft=plan).rows) == 2
    locked(root, plan, AT, SIGNERS.values())
    assert len(read_register(root, "waivers", inspect(root)).rows) == 2
    other = small_plan(sheets={"people": people(mia=key_of("other").public_key)})
    read = read_register(root, "waivers", contract, draft=other)
    assert "the signature of mia is not theirs over this row" in str(read.findings[0])


def test_a_row_is_judged_by_the_people_of_its_own_day(tmp_path: Path) -> None:
    root = tmp_path / "plan"
    locked(root, small_plan(), datetime(2025, 12, 20), SIGNERS.values())
    add(root, "commitments", at=datetime(2026, 3, 31))
    amended = small_plan(
        {"effective_from": "2026-04-01", "reason": "A new key"},
        {"people": people(sally=key_of("sally2").public_key)},
    )
    locked(root, amended, datetime(2026, 3, 20), SIGNERS.values())
    assert told(root, "commitments") == ""
    with pytest.raises(RegisterError, match="the key given is not that of sally"):
        add(root, "commitments", at=datetime(2026, 4, 1))
    new = {"sales": ("sally", key_of("sally2"))}
    assert append(root, "commitments", COMMITMENT, new, at=datetime(2026, 4, 1)) == 2
    assert told(root, "commitments") == ""


def test_an_amendment_that_begins_before_it_is_locked_unsigns_nothing(tmp_path: Path) -> None:
    root = tmp_path / "plan"
    locked(root, small_plan(), datetime(2025, 12, 20), SIGNERS.values())
    add(root, "commitments", at=datetime(2026, 4, 5))
    amended = small_plan(
        {"effective_from": "2026-04-01", "reason": "A new key"},
        {"people": people(sally=key_of("sally2").public_key)},
    )
    locked(root, amended, datetime(2026, 4, 10), SIGNERS.values())
    assert told(root, "commitments") == ""
    assert len(read_register(root, "commitments", inspect(root)).rows) == 1


def test_rows_are_not_blamed_for_people_who_were_changed(root: Path) -> None:
    fill_registers(root)
    path = root / "v1/people.csv"
    path.write_bytes(path.read_bytes().replace(b"sally", b"sindy"))
    contract = inspect(root)
    assert {each.file for each in contract.findings} == {"v1/people.csv"}
    read = read_register(root, "commitments", contract)
    assert (read.rows, read.findings) == ((), ())
    path.write_bytes(b"\xff")
    read = read_register(root, "commitments", inspect(root))
    assert (read.rows, read.findings) == ((), ())


# --- Reading: one thing wrong at a time ----------------------------------------------------------


@pytest.fixture
def filled(root: Path) -> Path:
    fill_registers(root)
    return root


def rewrite(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(lines_of(path.read_bytes()))))


def test_a_changed_cell_names_the_line_and_both_hashes(filled: Path) -> None:
    path = filled / "commitments.csv"
    lines = lines_of(path.read_bytes())
    path.write_bytes(path.read_bytes().replace(b"0.35", b"0.15"))
    read = read_register(filled, "commitments", inspect(filled))
    (finding,) = read.findings
    assert (finding.file, finding.line) == ("commitments.csv", 3)
    assert "the signature of sally is not theirs over this row" in finding.problem
    assert finding.expected == module.sha256(lines[2])
    assert finding.found == module.sha256(lines_of(path.read_bytes())[2])
    assert [row["number"] for row in read.rows] == [1, 3]


def test_the_last_row_too_is_told_with_what_it_was(filled: Path) -> None:
    path = filled / "commitments.csv"
    last = lines_of(path.read_bytes())[-1]
    path.write_bytes(path.read_bytes().replace(b",0.1,", b",0.9,"))
    (finding,) = read_register(filled, "commitments", inspect(filled)).findings
    assert (finding.line, finding.expected) == (4, module.sha256(last))


def signed_by(who: bytes) -> Callable[[list[bytes]], list[bytes]]:
    return lambda rows: [rows[0], rows[1].replace(b"sales sally", who), *rows[2:]]


@pytest.mark.parametrize(
    ("change", "line", "problem"),
    [
        (lambda rows: rows[:2] + rows[3:], 3, "found number 3, expected 2"),
        (lambda rows: [rows[0], *rows[2:]], 2, "found number 2, expected 1"),
        (lambda rows: [rows[0], rows[2], rows[1], rows[3]], 2, "found number 2, expected 1"),
        (lambda rows: [*rows, rows[3]], 5, "found number 3, expected 4"),
        (lambda rows: [*rows, b"\n"], 5, "found 0 cells"),
        (lambda rows: [*rows, b"x"], 5, "found 1 cells, expected 10"),
        (lambda rows: [*rows[:3], rows[3].rstrip(b"\n")], 4, "found another form"),
        (lambda rows: [*rows[:3], rows[3].replace(b"\n", b"\r\n")], 4, "found another form"),
        (lambda rows: [rows[0], b'"' + rows[1], *rows[2:]], 2, "found no row of CSV"),
        (lambda rows: [rows[0], rows[1].replace(b"1,", b'"1",', 1), *rows[2:]], 2, "another form"),
        (lambda rows: [rows[0], b"\xff" + rows[1], *rows[2:]], 2, "found no row of CSV"),
        (lambda rows: [rows[0], b"0" + rows[1], *rows[2:]], 2, "found the number '01'"),
        (lambda rows: rows[1:], 1, "the heading is not that of the register"),
        (lambda rows: [], 1, "the heading is not that of the register"),
        (lambda rows: [b"\xef\xbb\xbf" + rows[0], *rows[1:]], 1, "the heading is not that"),
        (lambda rows: [rows[0], rows[1].replace(b"T09", b" 09"), *rows[2:]], 2, "found the time"),
        (lambda rows: [rows[0], rows[1].replace(b",30,", b",030,"), *rows[2:]], 2, "window_days"),
        (lambda rows: [rows[0], rows[1].replace(b",30,", b",,"), *rows[2:]], 2, "window_days ''"),
        (lambda rows: [rows[0], rows[1].replace(b",sally,", b",sam,"), *rows[2:]], 2, "not theirs"),
        (signed_by(b"sales sam"), 2, "the signature of sam is not theirs"),
        (signed_by(b"sales eve"), 2, "the plan has no eve of sales"),
        (signed_by(b"marketing sally"), 2, "the plan has no sally of marketing"),
        (signed_by(b"sales  sally"), 2, "found no signature of department, person and 128 digits"),
    ],
)
def test_lines_that_are_not_what_was_signed(
    filled: Path, change: Callable[[list[bytes]], list[bytes]], line: int, problem: str
) -> None:
    rewrite(filled / "commitments.csv", change)
    read = read_register(filled, "commitments", inspect(filled))
    assert read.findings[0].file == "commitments.csv"
    assert read.findings[0].line == line
    assert problem in read.findings[0].problem


def test_an_older_row_does_not_count_again_after_a_broken_one(filled: Path) -> None:
    rewrite(filled / "commitments.csv", lambda rows: [*rows[:3], b"x\n", rows[1]])
    read = read_register(filled, "commitments", inspect(filled))
    assert [(each.line, "after number 2" in each.problem) for each in read.findings] == [
        (4, False),
        (5, True),
    ]
    assert [row["number"] for row in read.rows] == [1, 2]


def forged(filled: Path, line: int, texts: dict[str, str], *who: str) -> None:
    """Replace a row by one that these persons sign."""
    kind = REGISTERS["commitments"]
    path = filled / "commitments.csv"
    lines = lines_of(path.read_bytes())
    cells = dict(zip(kind.columns, lines[line - 1].decode().rstrip("\n").split(","), strict=True))
    cells |= texts
    del cells["signatures"]
    signed = []
    for department, (person, key) in sorted(signers(*who).items()):
        message = module._message("commitments", cells, department, person)
        signed.append(f"{department} {person} {key.sign(message)}")
    lines[line - 1] = module._line([*cells.values(), "; ".join(signed)])
    path.write_bytes(b"".join(lines))


def test_a_row_signed_anew_does_not_fit_the_row_after_it(filled: Path) -> None:
    forged(filled, 3, {"rate": "0.05"}, "sally")
    (finding,) = read_register(filled, "commitments", inspect(filled)).findings
    assert (finding.line, finding.problem) == (
        4,
        "row 3 does not follow the row that stands before it",
    )
    assert finding.expected != finding.found


@pytest.mark.parametrize(
    ("texts", "who", "problem"),
    [
        ({}, ("mia",), "found mia of marketing, expected one person of sales"),
        ({}, ("sally", "mia"), "expected one person of sales"),
        ({}, ("sam",), "found committed_by 'sally', expected 'sam'"),
        ({"number": "7"}, ("sally",), "found number 7, expected 2"),
        ({"rate": "1.5"}, ("sally",), "found '1.5', expected 0 to 1"),
        ({"previous": "0" * 64}, ("sally",), "row 2 does not follow the row"),
        ({"previous": "x"}, ("sally",), "found no SHA-256 of the row before"),
    ],
)
def test_rows_that_are_signed_and_yet_wrong(
    filled: Path, texts: dict[str, str], who: tuple[str, ...], problem: str
) -> None:
    forged(filled, 3, texts, *who)
    read = read_register(filled, "commitments", inspect(filled))
    assert read.findings[0].line == 3
    assert problem in read.findings[0].problem


def test_an_end_cut_off_shows_in_registers_json(filled: Path) -> None:
    rewrite(filled / "commitments.csv", lambda rows: rows[:-1])
    (finding,) = read_register(filled, "commitments", inspect(filled)).findings
    assert finding.file == "commitments.csv"
    assert "row 3 that registers.json knows is gone" in finding.problem
    (filled / "commitments.csv").unlink()
    assert "rows 1 to 3 that registers.json knows are gone" in told(filled, "commitments")
    (filled / "commitments.csv").mkdir()
    assert "found no regular file" in told(filled, "commitments")


def test_an_end_cut_off_there_too_shows_against_the_last_publication(filled: Path) -> None:
    contract = inspect(filled)
    head = read_register(filled, "commitments", contract).head
    assert head is not None
    assert not read_register(filled, "commitments", contract, known_head=head).findings
    add(filled, "commitments", at=AT + timedelta(days=60))
    assert not read_register(filled, "commitments", contract, known_head=head).findings
    rewrite(filled / "commitments.csv", lambda rows: rows[:-2])
    heads = json.loads((filled / "registers.json").read_bytes())
    second = lines_of((filled / "commitments.csv").read_bytes())[-1]
    heads["heads"]["commitments"] = {"rows": 2, "sha256": module.sha256(second)}
    (filled / "registers.json").write_bytes(canonical_json(heads))
    assert told(filled, "commitments", contract) == ""
    (finding,) = read_register(filled, "commitments", contract, known_head=head).findings
    assert "row 3 that the last publication knows is gone" in finding.problem
    assert finding.expected == f"row 3: {head[1]}"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda heads: heads | {"rows": 2}, "says another last row of commitments.csv"),
        (lambda heads: heads | {"rows": 4}, "says another last row of commitments.csv"),
        (lambda heads: heads | {"sha256": "0" * 64}, "says another last row of commitments.csv"),
    ],
)
def test_heads_that_are_not_the_registers(
    filled: Path, change: Callable[[dict[str, Any]], dict[str, Any]], problem: str
) -> None:
    content = json.loads((filled / "registers.json").read_bytes())
    content["heads"]["commitments"] = change(content["heads"]["commitments"])
    (filled / "registers.json").write_bytes(canonical_json(content))
    (finding,) = read_register(filled, "commitments", inspect(filled)).findings
    assert finding.file == "registers.json"
    assert problem in finding.problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{}\n", "found other keys"),
        (b"[]\n", "found other keys"),
        (canonical_json({"format": True, "heads": {}}), "found the format True"),
        (canonical_json({"format": 1, "heads": []}), "found other registers"),
        (canonical_json({"format": 1, "heads": {"wishes": {}}}), "found other registers"),
        (canonical_json({"format": 1, "heads": {"notes": {"rows": 0}}}), "no rows and SHA-256"),
        (b'{"format": 1, "heads": {}}', "another form"),
        (None, "found no file"),
    ],
)
def test_a_heads_file_that_is_none_is_the_contracts_finding(
    filled: Path, content: bytes | None, problem: str
) -> None:
    path = filled / "registers.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    (finding,) = inspect(filled).findings
    assert finding.file == "registers.json"
    assert problem in finding.problem
    assert told(filled, "notes") == ""


def test_a_register_of_two_versions_reads_whole(tmp_path: Path) -> None:
    root = tmp_path / "plan"
    two_versions(root)
    fill_registers(root)
    read = read_registers(root, inspect(root))
    assert {name: len(each.rows) for name, each in read.items()} == {
        "commitments": 3,
        "notes": 2,
        "waivers": 1,
        "explanations": 1,
    }
    assert not any(each.findings for each in read.values())


def test_now_is_a_moment_too(root: Path) -> None:
    now = datetime.now(UTC)
    later = now.date() + timedelta(days=30)
    assert append(root, "notes", NOTE | {"due_date": later}, signers("mia"), at=now) == 1
