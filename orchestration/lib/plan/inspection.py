"""What stands below a plan's root, held against what was signed.

Belongs here: telling every difference, and which file was changed. Does not belong here: writing
(`locking`), the registers' rows (`registers`), whether the plan's arithmetic holds (the laws).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from orchestration.lib.plan.contract import (
    CONTINUING,
    Contract,
    Finding,
    LockedVersion,
    continues,
    not_a_signer,
    people_of,
    shared_keys,
)
from orchestration.lib.plan.files import (
    CHAIN,
    FORMAT,
    HEADS,
    REGISTERS,
    FormError,
    is_sha256,
    line_hashes,
    lines_of,
    read_canonical,
    read_heads,
    read_instant,
    read_whole,
    sha256,
    shown,
)
from orchestration.lib.plan.folder import LOCK, SIGNATURES, VERSION, file_name, plan_of
from orchestration.lib.plan.keys import SIGNATURE, is_signed_by
from orchestration.lib.plan.model import Plan, PlanError, Problem, Value
from orchestration.lib.plan.sheets import SHEETS, SIGNING_DEPARTMENTS

#: Changed lines of one sheet that are told one by one.
MOST_LINES = 20

_LINE_HASH = re.compile(r"[0-9a-f]{16}")
_SHEET = re.compile(r"[a-z][a-z_]*")


def inspect(
    root: Path, *, known_head: tuple[int, str] | None = None, as_of: date | None = None
) -> Contract:
    """Everything that stands below a plan's root, and every way it is not what was signed.

    Never raises for what stands there. A folder without a version is a contract without one. A
    finding names the file that was changed, not those that no longer agree with it, wherever the
    signatures show which of two it is.

    Args:
        root: the plan's root.
        known_head: number and hash of the version that the last publication was made with
            (`Contract.head`); where it is gone or another, that is a finding.
        as_of: the newest version may still lack signatures while it begins after this day; without
            a day, every version that lacks one is a finding.
    """
    try:
        names = sorted(os.listdir(root))  # noqa: PTH208 (names, not paths)
    except OSError as error:
        problem = f"{root} cannot be read as the plan's folder: {error.strerror}"
        return Contract((), (Finding(None, ".", None, problem),))
    findings: list[Finding] = []
    folders = {int(match[1]): root / name for name in names if (match := VERSION.fullmatch(name))}
    chain = _read_chain(root, folders, findings)
    recorded = dict(reversed(chain or []))
    parts = {
        number: _Part(root, folders[number], number, recorded.get(number))
        for number in sorted(folders)
    }
    if chain is not None:
        findings += _order(root, chain, parts)
    for number, part in parts.items():
        part.examine(parts.get(number - 1), parts.get(number + 1))
    latest: date | None = None
    for number, part in parts.items():
        is_waiting = as_of is not None and number == max(parts)
        part.conclude(latest, as_of if is_waiting else None)
        if part.is_lock_sound and part.effective_from is not None:
            latest = max(latest or part.effective_from, part.effective_from)
        findings += part.findings
    if known_head is not None:
        findings += _known(known_head, parts)
    findings += _heads_file(root)
    return Contract(_with_ends(parts), tuple(dict.fromkeys(findings)))


def signed_message(lock_sha256: str, department: str, person: str, signed_at: str) -> bytes:
    """What a signature of a version is over."""
    return "\n".join(("tieout plan version", lock_sha256, department, person, signed_at)).encode()


def chain_entries(root: Path) -> list[tuple[int, str]]:
    """Versions and hashes as a sound chain.json lists them."""
    return _read_chain(root, (), []) or []


def _read_chain(
    root: Path, folders: Iterable[int], findings: list[Finding]
) -> list[tuple[int, str]] | None:
    """Versions and hashes as chain.json lists them; None where it cannot be read."""
    if not folders and not os.path.lexists(root / CHAIN):
        return []
    try:
        content = read_whole(root / CHAIN)
    except ValueError as error:
        listed = ", ".join(str(number) for number in sorted(folders))
        findings.append(Finding(None, CHAIN, None, str(error), f"versions {listed} listed in it"))
        return None
    try:
        value = read_canonical(content)
        return _chain_of(value)
    except FormError as error:
        findings.append(Finding(None, CHAIN, error.line, str(error), None, sha256(content)))
    return None


def _chain_of(value: Any) -> list[tuple[int, str]]:
    if not (isinstance(value, dict) and value.keys() == {"format", "versions"}):
        raise FormError("found other keys, expected format and versions", None)
    if type(value["format"]) is not int or value["format"] != FORMAT:
        raise FormError(f"found the format {value['format']!r}, expected {FORMAT}", None)
    if not isinstance(value["versions"], list):
        raise FormError("found no list of versions", None)
    entries = []
    for place, each in enumerate(value["versions"]):
        line = 4 + 4 * place
        if not (isinstance(each, dict) and each.keys() == {"lock_sha256", "version"}):
            raise FormError("found another entry than version and lock_sha256", line)
        number, found = each["version"], each["lock_sha256"]
        if type(number) is not int or not is_sha256(found):
            raise FormError("found no number and SHA-256 of a version", line)
        entries.append((number, found))
    return entries


def _order(
    root: Path, chain: Sequence[tuple[int, str]], parts: Mapping[int, _Part]
) -> list[Finding]:
    """Whether chain.json lists 1, 2, 3 … and the folders are these."""
    findings = []
    listed = [number for number, _ in chain]
    if listed != list(range(1, len(listed) + 1)):
        wrong = next(place for place, number in enumerate(listed) if number != place + 1)
        findings.append(
            Finding(
                None,
                CHAIN,
                4 + 4 * wrong + 2,
                "lists the versions in another order, one twice, or not all",
                f"1 to {max(parts, default=len(listed))}, in this order",
                ", ".join(map(str, listed)),
            )
        )
    standing = {part.sha256 for part in parts.values() if part.says_its_number}
    for number, found in dict(chain).items():
        # A lock that stands under its own number is only listed by another.
        if number not in parts and found not in standing:
            findings.append(
                Finding(
                    number,
                    f"v{number}",
                    None,
                    f"version {number} was locked as {found} and its folder is gone"
                    + _elsewhere(root, found),
                    found,
                    "no folder",
                )
            )
    findings += [
        Finding(
            number,
            CHAIN,
            None,
            f"does not list version {number}, whose folder stands there",
            None if part.sha256 is None else f"version {number} as {part.sha256}",
            "no entry",
        )
        for number, part in parts.items()
        if number not in listed
    ]
    return findings


def _elsewhere(root: Path, lock_sha256: str) -> str:
    """Where a lock of that hash stands under another name."""
    for path in sorted(root.iterdir()):
        with suppress(ValueError):
            if not VERSION.fullmatch(path.name) and sha256(read_whole(path / LOCK)) == lock_sha256:
                return f"; a folder with that lock is named {path.name!r}"
    return ""


class _Part:
    """One version's folder while it is examined; each step adds what it finds."""

    def __init__(self, root: Path, folder: Path, number: int, recorded: str | None) -> None:
        self.number, self.folder, self.name = number, folder, f"v{number}"
        self.recorded = recorded
        self.findings: list[Finding] = []
        self.contents: dict[str, bytes] = {}
        self.lock: dict[str, Any] | None = None
        self.sha256: str | None = None
        self.plan: Plan | None = None
        self.people: dict[str, Mapping[str, Value]] = {}
        self.signatures: list[dict[str, str]] = []
        self.signed_by: dict[str, str] = {}
        self.is_lock_sound = self.are_sheets_sound = False
        self.is_folder = os.path.isdir(folder) and not os.path.islink(folder)  # noqa: PTH112, PTH114
        if not self.is_folder:
            self._find(None, None, "found no folder of its own, expected the locked version's")
            return
        self._read_lock()
        self._read_sheets()
        self._read_signatures()

    @property
    def effective_from(self) -> date | None:
        """As the lock says."""
        return None if self.lock is None else date.fromisoformat(self.lock["effective_from"])

    @property
    def previous_sha256(self) -> str | None:
        """The hash that this version follows, as its lock says."""
        previous = None if self.lock is None else self.lock["previous"]
        return None if previous is None else str(previous["lock_sha256"])

    def holds_for(self, lock_sha256: str) -> bool:
        """Whether somebody of the version has signed that hash."""
        return any(self._is_good(each, lock_sha256) for each in self.signatures)

    def examine(self, before: _Part | None, after: _Part | None) -> None:
        """Everything but what needs all versions examined."""
        if not self.is_folder:
            return
        self._judge_lock(after)
        if self.is_lock_sound:
            self._compare_sheets()
            self._compare_with_plan()
        self._find_strangers()
        self._judge_signatures()
        if self.is_lock_sound:
            self._judge_previous(before)

    def conclude(self, latest: date | None, as_of: date | None) -> None:
        """The order in time, and whether all have signed; `latest`: of all versions before."""
        if self.lock is None or self.effective_from is None or not self.is_lock_sound:
            return
        if latest is not None and self.effective_from <= latest:
            self._find(
                LOCK,
                self._line_of('"effective_from"'),
                f"version {self.number} overlaps the one before it",
                f"effective from a day after {latest}",
                f"effective from {self.effective_from}",
            )
        if self.findings or (as_of is not None and self.effective_from > as_of):
            return
        lacks = [name for name in SIGNING_DEPARTMENTS if name not in self.signed_by]
        if lacks:
            self._find(
                SIGNATURES,
                None,
                f"version {self.number} lacks the signature of {' and '.join(lacks)}",
                "signatures of " + ", ".join(SIGNING_DEPARTMENTS),
                "signatures of " + (", ".join(sorted(self.signed_by)) or "nobody"),
            )

    def version(self, effective_to: date | None) -> LockedVersion | None:
        """The version as callers see it; None where its lock says nothing."""
        if self.lock is None or self.sha256 is None or self.effective_from is None:
            return None
        return LockedVersion(
            self.number,
            self.folder,
            self.plan,
            self.sha256,
            self.previous_sha256,
            self.effective_from,
            effective_to,
            self.lock["reason"],
            read_instant(self.lock["locked_at"]),
            dict(sorted(self.signed_by.items())),
            self.is_signed,
        )

    @property
    def is_signed(self) -> bool:
        """All three have signed and nothing is wrong with it."""
        return not self.findings and set(self.signed_by) >= set(SIGNING_DEPARTMENTS)

    # Reading

    def _read_lock(self) -> None:
        try:
            content = read_whole(self.folder / LOCK)
        except ValueError as error:
            self._find(LOCK, None, str(error), self.recorded, "no lock")
            return
        self.lock_content = content
        self.sha256 = sha256(content)
        try:
            self.lock = _lock_of(read_canonical(content))
        except FormError as error:
            self._find(LOCK, error.line, str(error), self.recorded, self.sha256)

    def _read_sheets(self) -> None:
        listed = () if self.lock is None else self.lock["sheets"]
        for name in dict.fromkeys([*SHEETS, *listed]):
            with suppress(ValueError):
                self.contents[name] = read_whole(self.folder / file_name(name))
        known = {name: self.contents[name] for name in SHEETS if name in self.contents}
        self.plan_problems: tuple[Problem, ...] = ()
        try:
            self.plan = plan_of(known, Path(self.name))
        except PlanError as error:
            self.plan_problems = error.problems
        except (ValueError, ArithmeticError) as error:
            # What the plan's reader did not foresee is no reason to fail: the version is not used.
            self.plan_problems = (Problem(self.name, f"cannot be read: {error}"),)
        if self.plan is not None:
            self.people = people_of(self.plan)

    def _read_signatures(self) -> None:
        self.are_signatures_read = False
        try:
            content = read_whole(self.folder / SIGNATURES)
        except ValueError as error:
            self._find(SIGNATURES, None, str(error))
            return
        try:
            self.signatures = _signatures_of(read_canonical(content))
        except FormError as error:
            self._find(SIGNATURES, error.line, str(error), None, sha256(content))
            return
        self.are_signatures_read = True

    # Judging

    def _judge_lock(self, after: _Part | None) -> None:
        """Of a lock and an entry of chain.json that differ, which one was signed?"""
        if self.lock is None or self.sha256 is None:
            return
        if self.recorded not in (None, self.sha256):
            follows = after.previous_sha256 if after is not None else None
            if self.holds_for(self.sha256) or follows == self.sha256:
                self.findings.append(
                    Finding(
                        self.number,
                        CHAIN,
                        4 + 4 * (self.number - 1) + 1,
                        f"lists version {self.number} by another hash than that of its signed lock",
                        self.sha256,
                        self.recorded,
                    )
                )
            else:
                hint = "" if self.says_its_number else f"; it is that of {self.lock['version']}"
                self._find(
                    LOCK,
                    None,
                    f"is not what version {self.number} was locked and signed as{hint}",
                    self.recorded,
                    self.sha256,
                )
                return
        if not self.says_its_number:
            self._find(
                LOCK,
                self._line_of('"version"'),
                "is the lock of another version than its folder says",
                f"version {self.number}",
                f"version {self.lock['version']}",
            )
            return
        if self.number > 1 and not self.lock["reason"]:
            self._find(LOCK, self._line_of('"reason"'), "found an amendment without a reason")
        self.is_lock_sound = True

    @property
    def says_its_number(self) -> bool:
        """Whether the lock is that of the version that the folder's name says."""
        return self.lock is not None and self.lock["version"] == self.number

    def _compare_sheets(self) -> None:
        assert self.lock is not None  # noqa: S101 (told to the type checker)
        before = len(self.findings)
        for name, signed in self.lock["sheets"].items():
            content = self.contents.get(name)
            if content is None:
                try:
                    read_whole(self.folder / file_name(name))
                    problem = "was changed while it was read"
                except ValueError as error:
                    problem = str(error)
                self._find(file_name(name), None, problem, signed["sha256"], "no sheet")
            elif sha256(content) != signed["sha256"]:
                for line, told in _changed_lines(name, signed["lines"], content):
                    self._find(file_name(name), line, told, signed["sha256"], sha256(content))
        self.are_sheets_sound = len(self.findings) == before

    def _compare_with_plan(self) -> None:
        """The lock repeats what the sheet says; and what was locked can be read."""
        assert self.lock is not None  # noqa: S101 (told to the type checker)
        if not self.are_sheets_sound:
            return
        for problem in self.plan_problems:
            path, _, rest = problem.where.removeprefix(f"{self.name}/").partition(":")
            line, _, column = rest.partition(":")
            self._find(
                path if path != self.name else None,
                int(line) if line.isdigit() else None,
                f"{column.strip()}: {problem.message}" if column else problem.message,
            )
        if self.plan is None:
            return
        for key in ("company", "effective_from", "reason"):
            value = self.plan.settings[key]
            text = None if value is None else str(value)
            if self.lock[key] != text:
                self._find(
                    LOCK,
                    self._line_of(f'"{key}"'),
                    f"says another {key} than the sheet plan",
                    str(text),
                    str(self.lock[key]),
                )
        for row, told in shared_keys(self.plan):
            self._find(file_name("people"), row, told, "a key for each person")

    def _find_strangers(self) -> None:
        sheets = SHEETS if self.lock is None or not self.is_lock_sound else self.lock["sheets"]
        allowed = {LOCK, SIGNATURES, *map(file_name, sheets)}
        try:
            names = sorted(os.listdir(self.folder))  # noqa: PTH208 (names, not paths)
        except OSError as error:
            self._find(None, None, f"cannot be read: {error.strerror}")
            return
        for name in names:
            if name not in allowed and not name.startswith("."):
                told = os.fsencode(name).decode(errors="backslashreplace")
                self._find(told, None, "found a file that was not locked", "no such file")

    def _judge_signatures(self) -> None:
        """Every signature is by a signer of its department over this lock, one a department."""
        departments: set[str] = set()
        for place, each in enumerate(self.signatures):
            line = 2 + 6 * place
            department, person = each["department"], each["person"]
            who = f"the signature of {department} by {person}"
            if department in departments:
                self._find(SIGNATURES, line, f"found a second signature of {department}", "one")
                self.signed_by.pop(department, None)
                continue
            departments.add(department)
            if self.plan is None:
                # Whose keys count cannot be told, and why not stands in another finding.
                continue
            row = self.people.get(person)
            if problem := self._has_no_say(row, department):
                if not self._is_people_changed:
                    self._find(SIGNATURES, line, f"{who} does not count: {problem}")
            elif self.sha256 is not None and self._is_good(each, self.sha256):
                self.signed_by[department] = person
            elif not self._is_people_changed and not self._is_good(each, self.recorded or ""):
                self._find(
                    SIGNATURES,
                    line,
                    f"{who} is not theirs over this version",
                    f"a signature by the key {row and row['public_key']} over {self.sha256}",
                    each["signature"],
                )

    @property
    def _is_people_changed(self) -> bool:
        return any(each.file == f"{self.name}/{file_name('people')}" for each in self.findings)

    def _has_no_say(self, row: Mapping[str, Value] | None, department: str) -> str | None:
        if department not in SIGNING_DEPARTMENTS:
            return f"expected one of {', '.join(SIGNING_DEPARTMENTS)}"
        if row is None:
            return "the sheet people has no such person"
        if row["department"] != department:
            return f"they are of {row['department']}"
        return not_a_signer(row)

    def _is_good(self, signature: Mapping[str, str], lock_sha256: str) -> bool:
        row = self.people.get(signature["person"])
        if row is None or self._has_no_say(row, signature["department"]):
            return False
        message = signed_message(
            lock_sha256, signature["department"], signature["person"], signature["signed_at"]
        )
        return is_signed_by(str(row["public_key"]), message, signature["signature"])

    def _judge_previous(self, before: _Part | None) -> None:
        """It follows the version before it, and is signed by enough of that one's signers."""
        assert self.lock is not None  # noqa: S101 (told to the type checker)
        line = self._line_of('"previous"')
        previous = self.lock["previous"]
        if self.number == 1:
            if previous is not None:
                self._find(LOCK, line, "found a version before version 1", "null")
            return
        if previous is None or previous["version"] != self.number - 1:
            found = None if previous is None else previous["version"]
            self._find(
                LOCK, line, "follows another version", f"version {self.number - 1}", str(found)
            )
            return
        if before is None:
            return
        if self.previous_sha256 not in (before.sha256, before.recorded):
            self._find(
                LOCK,
                line and line + 1,
                f"follows version {before.number} by another hash than that of its lock",
                before.sha256,
                self.previous_sha256,
            )
        if before.plan is None or not before.are_sheets_sound:
            return
        fresh = [
            (department, person)
            for department, person in sorted(self.signed_by.items())
            if not continues(self.people[person], before.people.get(person))
        ]
        if len(fresh) > len(SIGNING_DEPARTMENTS) - CONTINUING:
            for department, person in fresh:
                known = before.people.get(person, {})
                self._find(
                    SIGNATURES,
                    None,
                    f"{person} signs for {department} by a key that was no signer's of"
                    f" {department} in version {before.number}, and is not the only new one",
                    f"{CONTINUING} of three signatures by signers of version {before.number}"
                    + (f"; {person} there: {known['public_key']}" if known else ""),
                    f"{person}: {self.people[person]['public_key']}",
                )

    def _line_of(self, key: str) -> int | None:
        """The line of lock.json where a key of its first level stands."""
        lines = self.lock_content.decode().split("\n")
        return next((n for n, line in enumerate(lines, 1) if line.startswith(f" {key}:")), None)

    def _find(
        self,
        file: str | None,
        line: int | None,
        problem: str,
        expected: str | None = None,
        found: str | None = None,
    ) -> None:
        path = self.name if file is None else f"{self.name}/{file}"
        self.findings.append(Finding(self.number, path, line, problem, expected, found))


def _lock_of(value: Any) -> dict[str, Any]:
    """A lock whose every key is of its kind; raises FormError."""
    keys = {
        "format", "version", "company", "effective_from", "reason", "locked_at", "previous",
        "sheets",
    }  # fmt: skip
    if not isinstance(value, dict) or value.keys() != keys:
        odd = sorted(keys ^ value.keys()) if isinstance(value, dict) else []
        raise FormError(f"found other keys than a lock has: {', '.join(map(str, odd))}", None)
    checks = {
        "format": type(value["format"]) is int and value["format"] == FORMAT,
        "version": type(value["version"]) is int,
        "company": isinstance(value["company"], str),
        "effective_from": _is_date(value["effective_from"]),
        "reason": value["reason"] is None or isinstance(value["reason"], str),
        "locked_at": _is_instant(value["locked_at"]),
        "previous": value["previous"] is None or _is_previous(value["previous"]),
        "sheets": isinstance(value["sheets"], dict)
        and all(
            _SHEET.fullmatch(name) and _is_sheet(each) for name, each in value["sheets"].items()
        ),
    }
    for key, is_right in checks.items():
        if not is_right:
            raise FormError(f"found a value of {key} that no lock has", None)
    return value


def _is_previous(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"version", "lock_sha256"}
        and type(value["version"]) is int
        and is_sha256(value["lock_sha256"])
    )


def _is_sheet(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"sha256", "lines"}
        and is_sha256(value["sha256"])
        and isinstance(value["lines"], list)
        and all(isinstance(line, str) and _LINE_HASH.fullmatch(line) for line in value["lines"])
    )


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_instant(value: Any) -> bool:
    try:
        return isinstance(value, str) and read_instant(value) is not None
    except ValueError:
        return False


def _signatures_of(value: Any) -> list[dict[str, str]]:
    """The signatures, sorted by department; raises FormError."""
    if not isinstance(value, list):
        raise FormError("found no list of signatures", None)
    keys = {"department", "person", "signed_at", "signature"}
    for place, each in enumerate(value):
        line = 2 + 6 * place
        if not isinstance(each, dict) or each.keys() != keys:
            raise FormError(f"found other keys than {', '.join(sorted(keys))}", line)
        if not all(isinstance(text, str) for text in each.values()):
            raise FormError("found a value that is no text", line)
        if not _is_instant(each["signed_at"]):
            raise FormError(f"found the time {each['signed_at']!r}", line)
        if not SIGNATURE.fullmatch(each["signature"]):
            raise FormError("found a signature that is not 128 lower-case hexadecimal digits", line)
    if value != sorted(value, key=lambda each: str(each["department"])):
        raise FormError("found signatures in another order than by department", None)
    return value


def _changed_lines(
    sheet: str, signed: Sequence[str], content: bytes
) -> Iterator[tuple[int | None, str]]:
    """Which lines of a sheet are not those that were signed, and how they read now."""
    lines = lines_of(content)
    found = line_hashes(content)
    shorter = min(len(signed), len(found))
    start = next((n for n in range(shorter) if signed[n] != found[n]), shorter)
    tail = next(
        (n for n in range(shorter - start) if signed[-1 - n] != found[-1 - n]), shorter - start
    )
    was, now = len(signed) - tail - start, len(found) - tail - start
    if was == now == 0:
        yield None, f"sheet {sheet} is not what was signed"
    elif was != now:
        yield (
            start + 1,
            f"sheet {sheet} from row {start + 1} is not what was signed: {now} lines stand where"
            f" {was} stood" + (f"; the first reads {shown(lines[start])}" if now else ""),
        )
    else:
        changed = [n for n in range(start, start + now) if signed[n] != found[n]]
        for n in changed[:MOST_LINES]:
            yield (
                n + 1,
                f"sheet {sheet}, row {n + 1} is not what was signed; it reads {shown(lines[n])}",
            )
        if len(changed) > MOST_LINES:
            more = len(changed) - MOST_LINES
            yield (
                changed[MOST_LINES] + 1,
                f"sheet {sheet}: {more} more rows are not what was signed",
            )


def _known(head: tuple[int, str], parts: Mapping[int, _Part]) -> list[Finding]:
    """The version that the last publication was made with still stands, and is that one."""
    number, expected = head
    part = parts.get(number)
    made_with = f"the last publication was made with version {number} of this plan"
    if part is None:
        return [
            Finding(
                number, f"v{number}", None, f"{made_with}, which is gone", expected, "no folder"
            )
        ]
    if part.sha256 in (None, expected):
        return []
    return [
        Finding(
            number,
            f"v{number}/{LOCK}",
            None,
            f"{made_with}, locked otherwise",
            expected,
            part.sha256,
        )
    ]


def _heads_file(root: Path) -> list[Finding]:
    """registers.json stands where a register does, in its form; `registers` reads what it says."""
    has_registers = any(os.path.lexists(root / f"{name}.csv") for name in REGISTERS)
    if not has_registers and not os.path.lexists(root / HEADS):
        return []
    try:
        read_heads(root)
    except FormError as error:
        return [Finding(None, HEADS, error.line, str(error))]
    return []


def _with_ends(parts: Mapping[int, _Part]) -> tuple[LockedVersion, ...]:
    """The versions, each with the first day of the signed one that follows it."""
    starts = {
        number: part.effective_from
        for number, part in parts.items()
        if part.is_signed and part.effective_from is not None
    }
    found = []
    for number, part in parts.items():
        end = min((day for later, day in starts.items() if later > number), default=None)
        if (version := part.version(end)) is not None:
            found.append(version)
    return tuple(found)
