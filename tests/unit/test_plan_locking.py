"""Keys, locks, chain, signatures: what is refused, what is found, who is named."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.lib.plan import files, inspection, keys, locking
from orchestration.lib.plan.difference import amended as amended_plan
from orchestration.lib.plan.difference import differences
from orchestration.lib.plan.files import canonical_json, lines_of, sha256
from orchestration.lib.plan.folder import read_plan, write_plan
from orchestration.lib.plan.inspection import signed_message
from orchestration.lib.plan.keys import KeyFileError, SigningKey, create_key, is_signed_by, load_key
from orchestration.lib.plan.locking import Contract, ContractError, inspect, lock, sign, withdraw
from orchestration.lib.plan.model import PlanError
from tests.support.contracts import (
    SIGNERS,
    key_of,
    locked,
    people,
    small_plan,
    two_versions,
)

LOCKED = datetime(2026, 3, 20, 12, tzinfo=UTC)
AMENDED = {"effective_from": "2026-04-01", "reason": "Half of the leads came back"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "plan"


def told(contract: Contract) -> str:
    return "\n".join(map(str, contract.findings))


def rewrite(path: Path, change: Callable[[Any], Any]) -> None:
    """Change a JSON file and keep its form."""
    path.write_bytes(canonical_json(change(json.loads(path.read_bytes()))))


# --- Keys ----------------------------------------------------------------------------------------


def test_a_key_signs_as_rfc_8032_says() -> None:
    # RFC 8032, 7.1, test 1: the empty message.
    key = SigningKey.from_seed(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    assert key.public_key == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert key.sign(b"") == signature
    assert is_signed_by(key.public_key, b"", signature)
    assert not is_signed_by(key.public_key, b"x", signature)
    assert not is_signed_by(key.public_key, b"", signature.upper())
    assert not is_signed_by(key.public_key.upper(), b"", signature)
    assert not is_signed_by(key.public_key, b"", signature + "\n")


@pytest.mark.parametrize("sign_bit", [0, 0x80])
def test_a_public_key_that_anybody_can_sign_for_counts_for_nobody(sign_bit: int) -> None:
    neutral = bytes([1]) + bytes(31)
    forged = neutral + bytes(32)
    # The library itself takes the forgery.
    Ed25519PublicKey.from_public_bytes(neutral).verify(forged, b"any plan")
    assert not is_signed_by(neutral.hex(), b"any plan", forged.hex())
    for weak in keys._WEAK:
        assert not keys.is_usable((weak[:31] + bytes([weak[31] | sign_bit])).hex())
    assert keys.is_usable(key_of("mia").public_key)


def test_a_key_file_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    public = create_key("mia", folder)
    file = folder / "mia.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert load_key("mia", folder).public_key == public
    before = file.read_bytes()
    with pytest.raises(KeyFileError, match="found a key, expected none"):
        create_key("mia", folder)
    assert file.read_bytes() == before
    assert create_key("sam", folder) != public
    assert public not in file.read_text()
    assert file.read_text().strip() not in repr(load_key("mia", folder))


def test_a_key_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="`tieout plan key mia`"):
        load_key("mia", tmp_path)
    for person in ("../mia", "", "Mia", "a/b"):
        with pytest.raises(KeyFileError, match="letters, digits"):
            create_key(person, tmp_path)
    create_key("mia", tmp_path)
    (tmp_path / "mia.key").chmod(0o640)
    with pytest.raises(KeyFileError, match=r"0640, expected 0600.*chmod 600"):
        load_key("mia", tmp_path)
    for content in (b"", b"\xff\n", b"ab\n", b"g" * 64 + b"\n"):
        (tmp_path / "sam.key").write_bytes(content)
        (tmp_path / "sam.key").chmod(0o600)
        with pytest.raises(KeyFileError, match=r"sam\.key"):
            load_key("sam", tmp_path)
    (tmp_path / "fred.key").mkdir(mode=0o700)
    with pytest.raises(KeyFileError, match="no key of 64"):
        load_key("fred", tmp_path)
    with pytest.raises(ValueError, match="found 3 bytes, expected 32"):
        SigningKey.from_seed(b"abc")


# --- Locking -------------------------------------------------------------------------------------


def test_a_locked_version_is_the_draft_with_its_hashes(root: Path) -> None:
    write_plan(small_plan(), root / "draft")
    version = lock(root, root / "draft", locked_at=LOCKED)
    folder = root / "v1"
    content = json.loads((folder / "lock.json").read_bytes())
    assert version.sha256 == sha256((folder / "lock.json").read_bytes())
    assert content["previous"] is None
    assert content["effective_from"] == "2026-01-01"
    assert content["locked_at"] == "2026-03-20T12:00:00Z"
    for name, entry in content["sheets"].items():
        sheet = (folder / f"{name}.csv").read_bytes()
        assert entry["sha256"] == sha256(sheet)
        assert entry["lines"] == [sha256(line)[:16] for line in lines_of(sheet)]
    assert read_plan(root / "draft") == version.plan
    assert version.locked_at == datetime(2026, 3, 20, 12)
    assert not version.is_signed
    assert version.lacks == ("marketing", "sales", "finance")
    assert json.loads((root / "chain.json").read_bytes())["versions"] == [
        {"version": 1, "lock_sha256": version.sha256}
    ]
    assert {path.name for path in root.iterdir()} == {"draft", "v1", "chain.json"}


def test_a_version_from_before_a_column_existed_keeps_its_bytes_and_hash(root: Path) -> None:
    """The hash is that of this plan's lock before kpis had trigger_pct and action."""
    old = b"metric,scope,owner,tolerance_pct,cadence_days,window_days,curve,sla_hours\n"
    write_plan(small_plan(), root / "draft")
    version = lock(root, root / "draft", locked_at=LOCKED)
    assert version.sha256 == "68375a9083358f5a7c4e7f6b4e9d9ba90f44e41603fffef5cf5dd8dc73a38c58"
    assert (root / "v1/kpis.csv").read_bytes().startswith(old)
    assert [each.file for each in inspect(root).findings] == ["v1/signatures.json"]
    plan = read_plan(root / "v1")
    assert {(row["trigger_pct"], row["action"]) for row in plan.rows("kpis")} == {(None, None)}
    agreed = amended_plan(plan, ["kpis:mqls:trigger_pct=20", "kpis:mqls:action=Pause ads"])
    write_plan(agreed, root / "draft")
    lines = (root / "draft/kpis.csv").read_text().splitlines()
    assert lines[:3] == [
        f"{old.decode().strip()},trigger_pct,action",
        "mqls,,mia,10,7,,,,20,Pause ads",
        "sals,,sam,10,7,,,,,",
    ]
    assert [str(change) for change in differences(plan, agreed)] == [
        "kpis: mqls, : trigger_pct: (empty) → 20",
        "kpis: mqls, : action: (empty) → Pause ads",
    ]


def test_two_signed_versions_follow_one_another(root: Path) -> None:
    two_versions(root)
    contract = inspect(root)
    assert contract.findings == ()
    first, second = contract.versions
    assert second.previous_sha256 == first.sha256
    assert contract.head == (2, second.sha256)
    assert first.signed_by == {"finance": "fred", "marketing": "mia", "sales": "sam"}
    assert (first.effective_to, second.effective_to) == (date(2026, 4, 1), None)
    assert contract.in_force(date(2025, 12, 31)) is None
    assert contract.in_force(date(2026, 3, 31)) == first
    assert contract.in_force(date(2026, 4, 1)) == second


def test_a_folder_without_a_version_is_a_contract_without_one(root: Path) -> None:
    assert "cannot be read" in told(inspect(root))
    root.mkdir()
    write_plan(small_plan(), root / "draft")
    assert inspect(root) == Contract((), ())
    assert inspect(root).head is None


def test_nothing_half_locked_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    write_plan(small_plan(AMENDED), root / "draft")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    real = locking.write_durably
    for name in ("targets.csv", "lock.json", "chain.json"):

        def full(path: Path, content: bytes, name: str = name) -> None:
            if path.name == name:
                raise OSError(28, "No space left on device")
            real(path, content)

        monkeypatch.setattr(locking, "write_durably", full)
        with pytest.raises(OSError, match="No space"):
            lock(root, root / "draft", locked_at=LOCKED)
        assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
        assert not [*root.glob(".*")]


def test_a_file_that_cannot_be_replaced_stays_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chain.json"
    path.write_bytes(b"before")

    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        files.write_durably(path, b"after")
    assert [*tmp_path.iterdir()] == [path]
    assert path.read_bytes() == b"before"


def test_another_writer_is_waited_for_and_then_told(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATIENCE_SECONDS", 0.05)
    write_plan(small_plan(), root / "draft")
    with files.writing(root), pytest.raises(ContractError, match="somebody else is writing"):
        lock(root, root / "draft", locked_at=LOCKED)
    lock(root, root / "draft", locked_at=LOCKED)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"effective_from": "2026-04-01"}, "plan.csv: found no reason"),
        (AMENDED | {"effective_from": "2026-01-01"}, "expected a day after 2026-01-01"),
        (AMENDED | {"effective_from": "2025-06-01"}, "found effective_from 2025-06-01"),
    ],
)
def test_an_amendment_has_a_reason_and_begins_later(
    root: Path, settings: dict[str, str], message: str
) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    with pytest.raises(ContractError, match=message):
        locked(root, small_plan(settings), LOCKED)
    assert [*inspect(root).versions] == [inspect(root).version(1)]


def test_nothing_follows_a_version_that_is_not_signed_or_was_changed(root: Path) -> None:
    locked(root, small_plan(), LOCKED, ["mia", "fred"])
    with pytest.raises(ContractError, match=r"lacks the signature of sales.*tieout plan sign 1"):
        locked(root, small_plan(AMENDED), LOCKED)
    sign(root, 1, "sam", key_of("sam"), signed_at=LOCKED)
    path = root / "v1/targets.csv"
    path.write_bytes(path.read_bytes().replace(b"500", b"400"))
    with pytest.raises(ContractError, match=r"(?s)is broken.*v1/targets.csv:2"):
        locked(root, small_plan(AMENDED), LOCKED)


def test_a_locked_folder_is_no_draft(root: Path) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    with pytest.raises(ContractError, match="expected a draft; `tieout plan amend`"):
        lock(root, root / "v1", locked_at=LOCKED)
    with pytest.raises(PlanError, match="found no folder"):
        lock(root, root / "nowhere", locked_at=LOCKED)


def test_every_department_that_signs_has_a_signer_with_a_key_of_its_own(root: Path) -> None:
    rows = people()
    rows[1]["signs"] = "no"
    with pytest.raises(ContractError, match=r"found nobody of sales.*tieout plan key"):
        locked(root, small_plan(sheets={"people": rows}), LOCKED)
    rows = people(sam="")
    with pytest.raises(ContractError, match="found nobody of sales"):
        locked(root, small_plan(sheets={"people": rows}), LOCKED)
    rows = people(sam=key_of("mia").public_key)
    with pytest.raises(ContractError, match=r"people\.csv:3: found the public key of mia for sam"):
        locked(root, small_plan(sheets={"people": rows}), LOCKED)
    rows = people(sam="01" + "0" * 62)
    with pytest.raises(ContractError, match="found nobody of sales"):
        locked(root, small_plan(sheets={"people": rows}), LOCKED)


def test_keys_change_one_department_at_a_time(root: Path) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    new = {"sam": key_of("sam2").public_key, "fred": key_of("fred2").public_key}
    with pytest.raises(ContractError, match="with the same key in marketing, expected them in 2"):
        locked(root, small_plan(AMENDED, {"people": people(**new)}), LOCKED)
    version = locked(
        root, small_plan(AMENDED, {"people": people(sam=new["sam"])}), LOCKED, ["mia", "fred"]
    )
    with pytest.raises(ContractError, match="the key given is not that of sam"):
        sign(root, version.number, "sam", key_of("sam"), signed_at=LOCKED)
    sign(root, version.number, "sam", key_of("sam2"), signed_at=LOCKED)
    assert inspect(root).findings == ()


def test_who_did_not_sign_before_is_no_signer_of_the_version_before(root: Path) -> None:
    # sally and fay have keys in version 1, but no say: together they may not make version 2.
    fay = {"person": "fay", "department": "finance", "public_key": key_of("fay").public_key}
    rows = [*people(), fay | {"signs": "no"}]
    locked(root, small_plan(sheets={"people": rows}), LOCKED, SIGNERS.values())
    rows = [*people(mia=key_of("mallory").public_key), fay]
    for row in rows:
        row["signs"] = "yes" if row["person"] in ("mia", "sally", "fay") else "no"
    with pytest.raises(ContractError, match="with the same key in none"):
        locked(root, small_plan(AMENDED, {"people": rows}), LOCKED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locking, "_demand_signers", lambda *_: None)
        signers = {"marketing": "mia", "sales": "sally", "finance": "fay"}
        contract = forge_with(root, AMENDED, rows, signers, {"mia": "mallory"})
    assert len(contract.findings) == 3
    assert "sally signs for sales by a key that was no signer's of sales" in told(contract)
    assert "fay signs for finance by a key that was no signer's" in told(contract)


def test_of_the_three_who_sign_only_one_may_be_new(root: Path) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    rows = people()
    for person, department in (("sol", "sales"), ("fay", "finance")):
        key = key_of(person).public_key
        rows.append({"person": person, "department": department, "public_key": key, "signs": "yes"})
    locked(root, small_plan(AMENDED, {"people": rows}), LOCKED, ["sol"])
    with pytest.raises(
        ContractError, match="sol and fay did not sign with these keys in version 1"
    ):
        sign(root, 2, "fay", key_of("fay"), signed_at=LOCKED)
    for person in ("fred", "mia"):
        sign(root, 2, person, key_of(person), signed_at=LOCKED)
    assert inspect(root).findings == ()


# --- Signing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "person", "key", "message"),
    [
        (2, "mia", "mia", "the versions are: 1"),
        (1, "nina", "nina", "found no 'nina', expected one of mia, sam"),
        (1, "sally", "sally", "sally cannot sign: found signs empty or no"),
        (1, "rene", "rene", "revops does not sign"),
        (1, "mia", "sam", "the key given is not that of mia"),
    ],
)
def test_who_may_not_sign(root: Path, version: int, person: str, key: str, message: str) -> None:
    locked(root, small_plan(), LOCKED)
    with pytest.raises(ContractError, match=message):
        sign(root, version, person, key_of(key), signed_at=LOCKED)
    assert (root / "v1/signatures.json").read_bytes() == b"[]\n"


def test_a_department_signs_once_and_only_what_was_locked(root: Path) -> None:
    locked(root, small_plan(), LOCKED, ["mia"])
    with pytest.raises(ContractError, match="signed for marketing already, by mia"):
        sign(root, 1, "mia", key_of("mia"), signed_at=LOCKED)
    path = root / "v1/targets.csv"
    path.write_bytes(path.read_bytes().replace(b"500", b"400"))
    with pytest.raises(ContractError, match=r"(?s)not what was locked.*v1/targets.csv:2"):
        sign(root, 1, "sam", key_of("sam"), signed_at=LOCKED)


def test_a_version_that_begins_later_may_wait_for_signatures(root: Path) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    locked(root, small_plan(AMENDED), LOCKED, ["sam"])
    lacking = inspect(root)
    assert [each.file for each in lacking.findings] == ["v2/signatures.json"]
    assert lacking.findings[0].found == "signatures of sales"
    before = inspect(root, as_of=date(2026, 3, 31))
    assert before.findings == ()
    assert before.head == (1, before.versions[0].sha256)
    assert before.versions[0].effective_to is None
    in_force = before.in_force(date(2026, 4, 1))
    assert in_force is not None
    assert in_force.number == 1
    assert inspect(root, as_of=date(2026, 4, 1)).findings == lacking.findings


def test_a_version_is_withdrawn_while_it_is_not_signed_by_all(root: Path) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    with pytest.raises(ContractError, match="version 1 stays"):
        withdraw(root, 1)
    locked(root, small_plan(AMENDED), LOCKED, ["mia", "sam"])
    with pytest.raises(ContractError, match="only the newest version"):
        withdraw(root, 1)
    withdraw(root, 2)
    assert inspect(root).findings == ()
    assert not (root / "v2").exists()
    # What a lock that was ended between its two steps leaves behind.
    chain = (root / "chain.json").read_bytes()
    locked(root, small_plan(AMENDED), LOCKED)
    (root / "chain.json").write_bytes(chain)
    assert "does not list version 2" in told(inspect(root))
    withdraw(root, 2)
    assert inspect(root).findings == ()


def test_a_signed_version_with_a_broken_signature_is_not_withdrawn(root: Path) -> None:
    two_versions(root)
    rewrite(root / "v2/signatures.json", lambda entries: entries[:2])
    path = root / "v2/targets.csv"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ContractError, match="version 2 stays"):
        withdraw(root, 2)


# --- Inspecting: one thing wrong at a time -------------------------------------------------------


def signature(entries: list[dict[str, str]], department: str) -> dict[str, str]:
    return next(entry for entry in entries if entry["department"] == department)


def unknown_person(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    signature(entries, "sales")["person"] = "nina"
    return entries


def other_department(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    signature(entries, "sales")["person"] = "mia"
    return entries


def no_signer(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    signature(entries, "sales")["person"] = "sally"
    return entries


def odd_department(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    signature(entries, "sales")["department"] = "salesman"
    return entries


def another_time(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    signature(entries, "sales")["signed_at"] = "2026-03-21T00:00:00Z"
    return entries


def no_time(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    signature(entries, "sales")["signed_at"] = "yesterday"
    return entries


def twice(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    return [*entries, signature(entries, "sales")]


def upper_case(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    entry = signature(entries, "sales")
    entry["signature"] = entry["signature"].upper()
    return entries


def too_few(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    return [entry for entry in entries if entry["department"] != "sales"]


def unsorted(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    return entries[::-1]


def one_key_more(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    entries[0]["note"] = "hello"
    return entries


def no_text(entries: list[Any]) -> list[Any]:
    entries[0]["person"] = 1
    return entries


def no_list(entries: list[dict[str, str]]) -> dict[str, str]:
    return {}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (unknown_person, "sales by nina does not count: the sheet people has no such person"),
        (other_department, "sales by mia does not count: they are of marketing"),
        (no_signer, "sales by sally does not count: found signs empty or no"),
        (odd_department, "salesman by sam does not count: expected one of marketing"),
        (another_time, "sales by sam is not theirs over this version"),
        (no_time, "found the time 'yesterday'"),
        (twice, "found a second signature of sales"),
        (upper_case, "not 128 lower-case hexadecimal digits"),
        (too_few, "version 2 lacks the signature of sales"),
        (unsorted, "in another order than by department"),
        (one_key_more, "found other keys than department"),
        (no_text, "found a value that is no text"),
        (no_list, "found no list"),
    ],
)
def test_signatures_that_do_not_count(
    root: Path, change: Callable[[Any], Any], problem: str
) -> None:
    two_versions(root)
    rewrite(root / "v2/signatures.json", change)
    contract = inspect(root)
    assert {each.file for each in contract.findings} == {"v2/signatures.json"}
    assert problem in told(contract)
    assert not contract.versions[1].is_signed
    assert contract.head == (1, contract.versions[0].sha256)


def test_a_signature_of_another_version_does_not_count(root: Path) -> None:
    two_versions(root)
    (root / "v2/signatures.json").write_bytes((root / "v1/signatures.json").read_bytes())
    assert told(inspect(root)).count("is not theirs over this version") == 3


def set_to(key: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda content: content | {key: value}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (set_to("reason", "Another"), "is not what version 2 was locked and signed as"),
        (set_to("version", 1), "is not what version 2 was locked and signed as; it is that of 1"),
        (set_to("version", True), "found a value of version that no lock has"),
        (set_to("format", 2), "found a value of format"),
        (set_to("effective_from", "2026-4-1"), "found a value of effective_from"),
        (set_to("locked_at", "2026-03-20"), "found a value of locked_at"),
        (set_to("company", None), "found a value of company"),
        (set_to("sheets", {"../plan": {"sha256": "0" * 64, "lines": []}}), "a value of sheets"),
        (set_to("previous", {"version": 1}), "found a value of previous"),
        (set_to("colour", "red"), "found other keys than a lock has: colour"),
        (lambda content: [content], "found other keys than a lock has"),
    ],
)
def test_locks_that_are_not_what_was_locked(
    root: Path, change: Callable[[Any], Any], problem: str
) -> None:
    two_versions(root)
    signed = inspect(root).versions[1].sha256
    rewrite(root / "v2/lock.json", change)
    contract = inspect(root)
    assert {each.file for each in contract.findings} == {"v2/lock.json"}
    assert problem in told(contract)
    assert contract.findings[0].expected == signed
    assert contract.findings[0].found == sha256((root / "v2/lock.json").read_bytes())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "found no JSON"),
        (b"\xff\xfe", "no UTF-8"),
        (b"[" * 100_000, "found no JSON"),
        (b"9" * 10_000, "found no JSON"),
        (b'{"a": NaN}', "found no JSON"),
        (b'{"a": "\\ud800"}', "found no JSON"),
        (b"null", "another form"),
    ],
)
@pytest.mark.parametrize("file", ["chain.json", "v1/lock.json", "v1/signatures.json"])
def test_files_that_are_no_json(root: Path, file: str, content: bytes, problem: str) -> None:
    two_versions(root)
    (root / file).write_bytes(content)
    findings = inspect(root).findings
    assert findings[0].file == file
    assert problem in findings[0].problem


def test_json_in_another_form_was_changed(root: Path) -> None:
    two_versions(root)
    path = root / "chain.json"
    path.write_bytes(path.read_bytes().replace(b'"versions": [', b'"versions":  ['))
    (finding,) = inspect(root).findings
    assert (finding.file, finding.line) == ("chain.json", 3)
    assert "another form" in finding.problem


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (set_to("format", True), "found the format True"),
        (set_to("versions", {}), "found no list of versions"),
        (set_to("note", ""), "found other keys"),
        (set_to("versions", [1]), "found another entry"),
        (set_to("versions", [{"version": "1", "lock_sha256": "0" * 64}]), "found no number"),
        (lambda content: content | {"versions": content["versions"][::-1]}, "in another order"),
        (
            lambda content: content | {"versions": content["versions"][1:]},
            "does not list version 1",
        ),
        (lambda content: content | {"versions": content["versions"] * 2}, "one twice"),
        (
            set_to("versions", [{"version": 1, "lock_sha256": "0" * 64}]),
            "lists version 1 by another hash than that of its signed lock",
        ),
    ],
)
def test_chains_that_are_not_the_versions(
    root: Path, change: Callable[[Any], Any], problem: str
) -> None:
    two_versions(root)
    rewrite(root / "chain.json", change)
    contract = inspect(root)
    assert problem in told(contract)
    assert {each.file for each in contract.findings} == {"chain.json"}


def test_a_version_whose_folder_is_gone_is_named_by_its_hash(root: Path) -> None:
    two_versions(root)
    signed = inspect(root).versions[1].sha256
    (root / "v2").rename(root / "V2")
    (finding,) = inspect(root).findings
    assert finding.problem.startswith(f"version 2 was locked as {signed} and its folder is gone")
    assert "is named 'V2'" in finding.problem
    (root / "V2").rename(root / "v2")
    (root / "v1").rename(root / "old")
    assert "version 1 was locked as" in told(inspect(root))


def test_a_gap_in_the_numbers_is_found(root: Path) -> None:
    two_versions(root)
    (root / "v2").rename(root / "v3")
    text = told(inspect(root))
    assert "its folder is gone" in text
    assert "does not list version 3" in text
    assert "is the lock of another version than its folder says" in text


def test_the_end_cut_off_shows_against_the_last_publication(root: Path) -> None:
    two_versions(root)
    head = inspect(root).head
    assert head is not None
    assert inspect(root, known_head=head).findings == ()
    for path in (root / "v2").iterdir():
        path.unlink()
    (root / "v2").rmdir()
    rewrite(root / "chain.json", lambda chain: chain | {"versions": chain["versions"][:1]})
    assert inspect(root).findings == ()
    (finding,) = inspect(root, known_head=head).findings
    assert (finding.version, finding.file, finding.expected) == (2, "v2", head[1])
    assert "the last publication was made with version 2 of this plan, which is gone" in str(
        finding
    )


def test_another_plan_in_its_place_shows_against_the_last_publication(
    root: Path, tmp_path: Path
) -> None:
    two_versions(root)
    head = inspect(root).head
    other = tmp_path / "other"
    two_versions(other)
    locked(tmp_path / "third", small_plan({"title": "Another"}), LOCKED, SIGNERS.values())
    assert inspect(other, known_head=head).findings == ()
    first = inspect(root).versions[0]
    (finding,) = inspect(tmp_path / "third", known_head=(1, first.sha256)).findings
    assert finding.file == "v1/lock.json"
    assert finding.expected == first.sha256


def test_a_forger_who_rewrites_sheet_lock_and_chain_lacks_the_signatures(root: Path) -> None:
    two_versions(root)
    path = root / "v2/targets.csv"
    path.write_bytes(path.read_bytes().replace(b"450", b"250"))

    def rehash(content: dict[str, Any]) -> dict[str, Any]:
        sheet = path.read_bytes()
        content["sheets"]["targets"] = {
            "sha256": sha256(sheet),
            "lines": [sha256(line)[:16] for line in lines_of(sheet)],
        }
        return content

    rewrite(root / "v2/lock.json", rehash)
    forged = sha256((root / "v2/lock.json").read_bytes())

    def relist(chain: dict[str, Any]) -> dict[str, Any]:
        chain["versions"][1]["lock_sha256"] = forged
        return chain

    rewrite(root / "chain.json", relist)
    contract = inspect(root)
    assert {each.file for each in contract.findings} == {"v2/signatures.json"}
    assert told(contract).count("is not theirs over this version") == 3


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forger's own program demands nothing."""
    monkeypatch.setattr(locking, "_demand_signers", lambda *_: None)
    monkeypatch.setattr(locking, "_demand_amendment", lambda *_: None)


def forge(root: Path, settings: dict[str, str], **new_keys: str) -> Contract:
    """The next version, signed by all, with other keys for some people."""
    public = {person: key_of(name).public_key for person, name in new_keys.items()}
    return forge_with(root, settings, people(**public), SIGNERS, new_keys)


def forge_with(
    root: Path,
    settings: dict[str, str],
    rows: list[dict[str, str]],
    signers: dict[str, str],
    new_keys: dict[str, str],
) -> Contract:
    version = locked(root, small_plan(settings, {"people": rows}), LOCKED)
    entries = []
    for department, person in sorted(signers.items()):
        message = signed_message(version.sha256, department, person, "2026-03-20T12:00:00Z")
        entries.append(
            {
                "department": department,
                "person": person,
                "signed_at": "2026-03-20T12:00:00Z",
                "signature": key_of(new_keys.get(person, person)).sign(message),
            }
        )
    (version.folder / "signatures.json").write_bytes(canonical_json(entries))
    return inspect(root)


@pytest.mark.usefixtures("lenient")
def test_a_forger_cannot_bring_in_keys_of_their_own_alone(root: Path) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    contract = forge(root, AMENDED, sam="forger1", fred="forger2")
    assert {each.file for each in contract.findings} == {"v2/signatures.json"}
    text = told(contract)
    assert "sam signs for sales by a key that was no signer's of sales in version 1" in text
    assert f"sam there: {key_of('sam').public_key}" in text
    assert f"sam: {key_of('forger1').public_key}" in text
    assert "fred signs for finance" in text
    assert not contract.versions[1].is_signed


@pytest.mark.usefixtures("lenient")
def test_a_version_that_was_never_signed_is_no_step_to_other_keys(root: Path) -> None:
    # Version 2 brings in the forger's keys and waits for signatures; version 3 continues them.
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    forge(root, AMENDED, sam="forger1", fred="forger2")
    (root / "v2/signatures.json").write_bytes(b"[]\n")
    assert inspect(root, as_of=date(2026, 1, 2)).findings == ()
    with pytest.raises(ContractError, match="lacks the signature"):
        lock(root, root / "draft", locked_at=LOCKED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locking, "_sound", lambda at: inspect(at, as_of=date.min).versions[-1])
        later = {"effective_from": "2026-05-01", "reason": "Again"}
        forge(root, later, sam="forger1", fred="forger2")
    contract = inspect(root, as_of=date(2026, 1, 2))
    assert [each.file for each in contract.findings] == ["v2/signatures.json"]


@pytest.mark.usefixtures("lenient")
def test_one_key_may_be_new(root: Path) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    assert forge(root, AMENDED, sam="sam2").findings == ()


@pytest.mark.usefixtures("lenient")
def test_one_person_with_two_departments_keys_is_found(root: Path) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    contract = forge(root, AMENDED, sam="mia")
    assert "v2/people.csv:3: found the public key of mia for sam as well" in told(contract)


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("day", ["2026-01-01", "2025-06-01"])
def test_versions_that_overlap_are_found(root: Path, day: str) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    contract = forge(root, AMENDED | {"effective_from": day})
    (finding,) = contract.findings
    assert finding.file == "v2/lock.json"
    assert finding.line is not None
    assert "overlaps" in finding.problem
    assert f"effective from {day}" == finding.found


@pytest.mark.usefixtures("lenient")
def test_an_amendment_without_a_reason_is_found(root: Path) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    assert "an amendment without a reason" in told(forge(root, {"effective_from": "2026-04-01"}))


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (set_to("effective_from", "2025-01-01"), "says another effective_from than the sheet plan"),
        (set_to("company", "Other"), "says another company than the sheet plan"),
        (set_to("previous", {"version": 1, "lock_sha256": "0" * 64}), "a version before version 1"),
        (set_to("version", 2), "is the lock of another version than its folder says"),
    ],
)
def test_a_lock_that_was_signed_and_yet_is_wrong_is_found(
    root: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any], problem: str
) -> None:
    real = locking.canonical_json
    monkeypatch.setattr(
        locking,
        "canonical_json",
        lambda value: real(change(value) if "sheets" in value else value),
    )
    write_plan(small_plan(), root / "draft")
    lock(root, root / "draft", locked_at=LOCKED)
    assert problem in told(inspect(root))


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize(
    ("previous", "problem"),
    [
        (None, "follows another version"),
        ({"version": 2, "lock_sha256": "0" * 64}, "follows another version"),
        ({"version": 1, "lock_sha256": "0" * 64}, "by another hash than that of its lock"),
    ],
)
def test_a_version_that_follows_another_one_is_found(
    root: Path, monkeypatch: pytest.MonkeyPatch, previous: Any, problem: str
) -> None:
    locked(root, small_plan(), LOCKED, SIGNERS.values())
    real = locking.canonical_json
    change = set_to("previous", previous)
    monkeypatch.setattr(
        locking,
        "canonical_json",
        lambda value: real(change(value) if "sheets" in value else value),
    )
    contract = forge(root, AMENDED)
    (finding,) = contract.findings
    assert finding.file == "v2/lock.json"
    assert problem in finding.problem


def test_what_is_no_file_of_the_version_is_found(root: Path) -> None:
    two_versions(root)
    (root / "v1/notes.txt").write_text("x")
    (root / "v1/.DS_Store").write_text("x")
    (root / "v1/targets.csv").rename(root / "targets.csv")
    (root / "v1/targets.csv").symlink_to(root / "targets.csv")
    (root / "v1/kpis.csv").unlink()
    (root / "v1/kpis.csv").mkdir()
    (root / "v1/scopes.csv").unlink()
    os.mkfifo(root / "v1/scopes.csv")
    (root / "v1/signatures.json").unlink()
    found = {each.file: each.problem for each in inspect(root).findings}
    assert found == {
        "v1/notes.txt": "found a file that was not locked",
        "v1/targets.csv": "found a link, expected the file itself",
        "v1/kpis.csv": "found no regular file, expected one",
        "v1/scopes.csv": "found no regular file, expected one",
        "v1/signatures.json": "found no file, expected the one that was written here",
    }


def test_a_folder_that_is_a_link_or_a_file_is_no_version(root: Path) -> None:
    two_versions(root)
    (root / "v2").rename(root / "elsewhere")
    (root / "v2").symlink_to(root / "elsewhere")
    assert "v2: found no folder of its own" in told(inspect(root))
    (root / "v2").unlink()
    (root / "v2").write_text("")
    assert "v2: found no folder of its own" in told(inspect(root))


def test_a_file_that_is_too_long_is_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_versions(root)
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    assert "found 2," in told(inspect(root))
    assert "expected at most 1,000" in told(inspect(root))


def test_changed_rows_are_told_by_their_lines(root: Path) -> None:
    two_versions(root)
    path = root / "v1/people.csv"
    lines = lines_of(path.read_bytes())
    signed = sha256(path.read_bytes())
    path.write_bytes(b"".join([*lines[:2], lines[3], lines[2], *lines[4:]]))
    findings = inspect(root).findings
    assert [(each.file, each.line) for each in findings] == [
        ("v1/people.csv", 3),
        ("v1/people.csv", 4),
    ]
    assert findings[0].problem.startswith(
        "sheet people, row 3 is not what was signed; it reads 'fred,Fred,,finance"
    )
    assert {each.expected for each in findings} == {signed}
    assert {each.found for each in findings} == {sha256(path.read_bytes())}
    path.write_bytes(b"".join([*lines[:2], *lines[4:]]))
    (finding,) = inspect(root).findings
    assert (finding.line, finding.problem) == (
        3,
        "sheet people from row 3 is not what was signed: 0 lines stand where 2 stood",
    )
    path.write_bytes(b"".join(lines) + b"eve,,,sales,yes,\n" * 2)
    (finding,) = inspect(root).findings
    assert finding.line == 7
    assert "2 lines stand where 0 stood; the first reads 'eve,,,sales,yes,'" in finding.problem


def test_many_changed_rows_are_told_in_a_few_findings(root: Path) -> None:
    targets = [
        {"period": "FY2026-Q1", "scope": "company"},
        *({"period": f"FY2026-M{n:02d}", "scope": "company", "mqls": "1"} for n in range(1, 13)),
        *({"period": f"FY2026-M{n:02d}", "scope": "channel:paid search"} for n in range(1, 13)),
    ]
    locked(root, small_plan(sheets={"targets": targets}), LOCKED, SIGNERS.values())
    path = root / "v1/targets.csv"
    path.write_bytes(path.read_bytes().replace(b"FY2026", b"FY2027"))
    findings = inspect(root).findings
    assert len(findings) == inspection.MOST_LINES + 1
    assert findings[-1].line == 22
    assert "5 more rows are not what was signed" in findings[-1].problem


@settings(max_examples=150)
@given(data=st.data())
def test_nothing_that_stands_there_makes_the_reader_fail(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.getbasetemp() / "fuzzed"
    if not root.exists():
        two_versions(root)
    paths = sorted(path for path in root.rglob("*") if path.is_file() and "draft" not in path.parts)
    path = data.draw(st.sampled_from(paths), label="file")
    before = path.read_bytes()
    start = data.draw(st.integers(0, len(before)))
    end = data.draw(st.integers(start, len(before)))
    middle = data.draw(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([b"null", b"1e999", b"-1", b"[]", b"9999-12-31", b"0001-01-01", b'"']),
        )
    )
    try:
        path.write_bytes(before[:start] + middle + before[end:])
        contract = inspect(root)
        assert bool(contract.findings) == (path.read_bytes() != before)
    finally:
        path.write_bytes(before)
