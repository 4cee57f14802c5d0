"""Nobody changes a locked plan unseen: every byte, every file, every order, by the whole reader.

What is not under test is kept from being done again and again: parsing the sheets of a version,
reading JSON and verifying a signature are remembered by exactly what goes into them.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, zip_longest
from pathlib import Path

import pytest

from orchestration.lib.plan import files, inspection, registers
from orchestration.lib.plan.files import canonical_json, read_canonical, sha256
from orchestration.lib.plan.folder import plan_of
from orchestration.lib.plan.keys import is_signed_by
from orchestration.lib.plan.locking import Finding, inspect
from orchestration.lib.plan.model import Plan, PlanError
from orchestration.lib.plan.registers import read_registers
from tests.support.contracts import fill_registers, two_versions

#: What is done to a byte: all of them to some bytes, the first to every byte.
CHANGES: dict[str, Callable[[bytes, int], bytes]] = {
    "one bit": lambda b, at: b[:at] + bytes([b[at] ^ 1]) + b[at + 1 :],
    "another case": lambda b, at: b[:at] + bytes([b[at] ^ 0x20]) + b[at + 1 :],
    "a line feed": lambda b, at: b[:at] + b"\n" + b[at + 1 :],
    "gone": lambda b, at: b[:at] + b[at + 1 :],
    "one more": lambda b, at: b[:at] + b" " + b[at:],
    "a line feed more": lambda b, at: b[:at] + b"\n" + b[at:],
}


@dataclass(frozen=True)
class Heads:
    """What the last publication was made with."""

    version: tuple[int, str]
    registers: Mapping[str, tuple[int, str]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two signed versions and rows in every register."""
    folder = tmp_path / "plan"
    two_versions(folder)
    shutil.rmtree(folder / "draft")
    fill_registers(folder)

    @lru_cache(maxsize=64)
    def parsed(contents: tuple[tuple[str, bytes], ...], at: Path) -> Plan | PlanError:
        try:
            return plan_of(dict(contents), at)
        except PlanError as error:
            return error

    def remembered(contents: Mapping[str, bytes], at: Path) -> Plan:
        found = parsed(tuple(contents.items()), at)
        if isinstance(found, PlanError):
            raise found
        return found

    monkeypatch.setattr(inspection, "plan_of", remembered)
    for module in (files, inspection):
        monkeypatch.setattr(module, "read_canonical", lru_cache(maxsize=256)(read_canonical))
    verified = lru_cache(maxsize=4096)(is_signed_by)
    monkeypatch.setattr(inspection, "is_signed_by", verified)
    monkeypatch.setattr(registers, "is_signed_by", verified)
    return folder


def found_in(root: Path, heads: Heads | None = None) -> list[Finding]:
    """Everything the reader has to say."""
    contract = inspect(root, known_head=heads and heads.version)
    read = read_registers(root, contract, heads and heads.registers)
    return [*contract.findings, *(each for found in read.values() for each in found.findings)]


def heads_of(root: Path) -> Heads:
    contract = inspect(root)
    assert contract.head is not None
    read = read_registers(root, contract)
    return Heads(contract.head, {name: each.head for name, each in read.items() if each.head})


def all_files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def changes(content: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Every byte by the first kind of change, every sixth by one of the others in turn."""
    first, *others = CHANGES
    for at in range(len(content)):
        yield first, at, CHANGES[first](content, at)
        if at % 6 == 0:
            kind = others[at // 6 % len(others)]
            yield kind, at, CHANGES[kind](content, at)


def first_difference(before: bytes, after: bytes) -> int:
    """The first line, from 1, that is not as it was."""
    lines = (re.findall(rb"[^\n]*\n|[^\n]+", content) for content in (before, after))
    pairs = enumerate(zip_longest(*lines), start=1)
    return next(number for number, (was, now) in pairs if was != now)


@pytest.mark.slow
def test_every_changed_byte_is_found_in_its_file_and_line(root: Path) -> None:
    assert found_in(root) == []
    tried = 0
    for path in all_files(root):
        file = path.relative_to(root).as_posix()
        has_lines = path.suffix == ".csv"
        content = path.read_bytes()
        for kind, at, changed in changes(content):
            if changed == content:
                continue
            with path.open("r+b", buffering=0) as handle:
                # In place: it takes a third of the time of a new file.
                handle.write(changed)
                handle.truncate()
            tried += 1
            findings = found_in(root)
            line = first_difference(content, changed)
            told = f"{file}, byte {at} (line {line}), {kind}: {[*map(str, findings)]}"
            assert findings, told
            assert {finding.file for finding in findings} == {file}, told
            if has_lines:
                assert line in {finding.line for finding in findings}, told
            if file.startswith("v") and has_lines:
                assert all(each.expected and each.found for each in findings), told
        path.write_bytes(content)
    assert found_in(root) == []
    assert tried > 13_500


def test_every_file_that_is_gone_is_found(root: Path) -> None:
    for path in all_files(root):
        content = path.read_bytes()
        path.unlink()
        file = path.relative_to(root).as_posix()
        findings = found_in(root)
        assert findings, file
        assert {finding.file for finding in findings} == {file}
        path.write_bytes(content)
    assert found_in(root) == []


def test_every_file_that_is_empty_is_found(root: Path) -> None:
    for path in all_files(root):
        content = path.read_bytes()
        path.write_bytes(b"")
        file = path.relative_to(root).as_posix()
        assert {finding.file for finding in found_in(root)} == {file}
        path.write_bytes(content)


def test_every_file_in_place_of_its_namesake_is_found(root: Path) -> None:
    swapped = 0
    for first in all_files(root / "v1"):
        second = root / "v2" / first.name
        ours, theirs = first.read_bytes(), second.read_bytes()
        if ours == theirs:
            continue
        swapped += 1
        for changed, content, other in ((first, ours, theirs), (second, theirs, ours)):
            changed.write_bytes(other)
            file = changed.relative_to(root).as_posix()
            assert file in {finding.file for finding in found_in(root)}
            changed.write_bytes(content)
        first.write_bytes(theirs)
        second.write_bytes(ours)
        files_found = {finding.file for finding in found_in(root)}
        assert {f"v1/{first.name}", f"v2/{first.name}"} <= files_found
        first.write_bytes(ours)
        second.write_bytes(theirs)
    assert swapped >= 4
    assert found_in(root) == []


def test_folders_that_are_renamed_or_swapped_are_found(root: Path) -> None:
    hashes = {version.number: version.sha256 for version in inspect(root).versions}
    for name, new in (("v2", "v3"), ("v2", "w2"), ("v1", "V1"), ("v1", "v01"), ("v1", "v9")):
        (root / name).rename(root / new)
        number = int(name[1:])
        told = [str(finding) for finding in found_in(root)]
        gone = f"version {number} was locked as {hashes[number]} and its folder is gone"
        assert any(gone in each for each in told), told
        (root / new).rename(root / name)
    (root / "v1").rename(root / "other")
    (root / "v2").rename(root / "v1")
    (root / "other").rename(root / "v2")
    found = {finding.file for finding in found_in(root)}
    assert {"v1/lock.json", "v2/lock.json"} <= found


def test_versions_that_are_removed_are_found(root: Path) -> None:
    heads = heads_of(root)
    assert found_in(root, heads) == []
    sound = root.parent / "sound"
    shutil.copytree(root, sound)
    for gone in (("v1",), ("v2",), ("v1", "v2"), ("v2", "chain.json"), ("v1", "v2", "chain.json")):
        for name in gone:
            path = root / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        findings = found_in(root, heads)
        assert any(finding.file in ("v1", "v2") for finding in findings), gone
        shutil.rmtree(root)
        shutil.copytree(sound, root)
    # Only what the last publication knew tells that the end is cut off, chain and all.
    shutil.rmtree(root / "v2")
    chain = json.loads((root / "chain.json").read_bytes())
    chain["versions"].pop()
    (root / "chain.json").write_bytes(canonical_json(chain))
    assert found_in(root) == []
    (finding,) = found_in(root, heads)
    assert (finding.file, finding.expected) == ("v2", heads.version[1])


def test_registers_in_another_order_or_cut_are_found(root: Path) -> None:
    heads = heads_of(root)
    for name, number in (("commitments", 3), ("notes", 2)):
        path = root / f"{name}.csv"
        content = path.read_bytes()
        heading, *rows = content.splitlines(keepends=True)
        assert len(rows) == number
        for order in permutations(range(number)):
            changed = b"".join([heading, *(rows[place] for place in order)])
            if changed == content:
                continue
            path.write_bytes(changed)
            found = found_in(root)
            first = next(place for place in range(number) if order[place] != place) + 2
            assert (found[0].file, found[0].line) == (path.name, first)
        for gone in range(number):
            path.write_bytes(b"".join([heading, *rows[:gone], *rows[gone + 1 :]]))
            assert {finding.file for finding in found_in(root)} == {path.name}
        # A tail cut off with its entry in registers.json: only the last publication knows.
        path.write_bytes(b"".join([heading, *rows[:-1]]))
        kept = root / "registers.json"
        before = kept.read_bytes()
        changed_heads = json.loads(before)
        changed_heads["heads"][name] = {"rows": number - 1, "sha256": sha256(rows[-2])}
        kept.write_bytes(canonical_json(changed_heads))
        assert found_in(root) == []
        (finding,) = found_in(root, heads)
        assert finding.file == path.name
        assert f"row {number} that the last publication knows is gone" in finding.problem
        path.write_bytes(content)
        kept.write_bytes(before)
    assert found_in(root, heads) == []
