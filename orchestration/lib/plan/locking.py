"""Lock, chain and signatures: a plan version that nobody can change unseen.

Belongs here: freezing a draft as the next version, signing it, taking it back while it does not
count. Does not belong here: telling what was changed since (`inspection`), keys (`keys`), what
people add while a version is in force (`registers`), whether a plan's arithmetic holds (the laws).

A version's hash is the SHA-256 of its lock.json, which holds the SHA-256 of every sheet and the
hash of the version before. A signature is over that hash, so it covers every byte of the version
and of all before it. Marketing, Sales and Finance (as controller) sign, each with a key that the
sheet `people` of the same version gives them; from version 2 on two of the three must have been
signers of the version before with the same key. What a folder cannot show of itself is that its end
was cut off together with its entry in chain.json, or that all of it is another plan: for that
`inspect` takes the head that the last publication was made with.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

from orchestration.lib.plan.contract import (
    CONTINUING,
    Contract,
    ContractError,
    Finding,
    LockedVersion,
    continues,
    not_a_signer,
    people_of,
    shared_keys,
    signers_of,
)
from orchestration.lib.plan.files import (
    CHAIN,
    FORMAT,
    canonical_json,
    line_hashes,
    sha256,
    told_instant,
    write_durably,
    writing,
)
from orchestration.lib.plan.folder import (
    LOCK,
    SIGNATURES,
    file_name,
    read_plan,
    sheet_bytes,
    versions,
)
from orchestration.lib.plan.inspection import chain_entries, inspect, signed_message
from orchestration.lib.plan.keys import SigningKey
from orchestration.lib.plan.model import Plan
from orchestration.lib.plan.sheets import SHEETS, SIGNING_DEPARTMENTS

__all__ = [
    "Contract",
    "ContractError",
    "Finding",
    "LockedVersion",
    "inspect",
    "lock",
    "sign",
    "withdraw",
]


def lock(root: Path, draft: Path, *, locked_at: datetime) -> LockedVersion:
    """Freeze `draft` as the next version below `root`; all or nothing, the draft stays.

    Raises PlanError where the draft cannot be read, ContractError where it cannot be the next
    version: an amendment without a reason, one that does not begin after the version before, people
    who could never complete its signatures, or a contract that is broken or not signed as it is.
    """
    if (draft / LOCK).exists():
        raise ContractError(
            f"{draft}: found a locked version, expected a draft; `tieout plan amend` makes one"
        )
    plan = read_plan(draft)
    root.mkdir(parents=True, exist_ok=True)
    with writing(root):
        before = _sound(root)
        number = before.number + 1 if before else 1
        _demand_amendment(plan, draft, before)
        _demand_signers(plan, draft, before)
        files = {file_name(sheet): sheet_bytes(plan, sheet) for sheet in SHEETS}
        lock_bytes = canonical_json(
            {
                "format": FORMAT,
                "version": number,
                "company": plan.settings["company"],
                "effective_from": str(plan.settings["effective_from"]),
                "reason": plan.settings["reason"],
                "locked_at": told_instant(locked_at),
                "previous": None
                if before is None
                else {"version": before.number, "lock_sha256": before.sha256},
                "sheets": {
                    sheet: {
                        "sha256": sha256(files[file_name(sheet)]),
                        "lines": line_hashes(files[file_name(sheet)]),
                    }
                    for sheet in SHEETS
                },
            }
        )
        files |= {LOCK: lock_bytes, SIGNATURES: canonical_json([])}
        entries = [*chain_entries(root), (number, sha256(lock_bytes))]
        folder = root / f"v{number}"
        with tempfile.TemporaryDirectory(dir=root, prefix=f".v{number}.") as scratch:
            building = Path(scratch) / folder.name
            building.mkdir(mode=0o755)
            for name, content in files.items():
                write_durably(building / name, content)
            building.rename(folder)
        try:
            write_durably(root / CHAIN, _chain_bytes(entries))
        except BaseException:
            shutil.rmtree(folder)
            raise
    locked = inspect(root, as_of=date.min).version(number)
    if locked is None:
        raise ContractError(f"{folder}: was changed while it was locked; look at who writes there")
    return locked


def sign(root: Path, version: int, person: str, key: SigningKey, *, signed_at: datetime) -> None:
    """Add a person's signature to a locked version.

    Raises ContractError where the version is not as it was locked, the person does not sign for a
    department that must, the key is not the one the version gives them, or the department has
    signed.
    """
    with writing(root):
        contract = inspect(root, as_of=date.min)
        locked = contract.version(version)
        known = ", ".join(str(each.number) for each in contract.versions) or "none"
        if locked is None or locked.plan is None:
            reasons = _told(contract.findings) or f"the versions are: {known}"
            raise ContractError(f"version {version} cannot be signed; {reasons}")
        wrong = [each for each in contract.findings if each.version in (None, version)]
        if wrong:
            raise ContractError(
                f"version {version} is not what was locked, so nobody can sign it; {_told(wrong)}"
            )
        before = contract.version(version - 1)
        department = _may_sign(locked, before, person, key)
        moment = told_instant(signed_at)
        entry = {
            "department": department,
            "person": person,
            "signed_at": moment,
            "signature": key.sign(signed_message(locked.sha256, department, person, moment)),
        }
        path = locked.folder / SIGNATURES
        entries = [*json.loads(path.read_bytes()), entry]
        entries.sort(key=lambda each: str(each["department"]))
        write_durably(path, canonical_json(entries))


def withdraw(root: Path, version: int) -> None:
    """Take back the newest version while it is not signed by all; it has never counted.

    Raises ContractError for a version that is signed or is not the newest.
    """
    with writing(root):
        contract = inspect(root, as_of=date.min)
        entries = chain_entries(root)
        newest = max([*(number for number, _ in entries), *versions(root)], default=0)
        locked = contract.version(version)
        # A lock that was ended between its two steps left a folder that chain.json does not list.
        is_whole = not any(
            each.version == version and each.file != CHAIN for each in contract.findings
        )
        if version != newest or locked is None or not locked.lacks or not is_whole:
            raise ContractError(
                f"version {version} stays: only the newest version ({newest}) can be withdrawn, and"
                " only until all three have signed it. `tieout plan amend` makes the next one"
            )
        write_durably(root / CHAIN, _chain_bytes([each for each in entries if each[0] < version]))
        with tempfile.TemporaryDirectory(dir=root, prefix=f".v{version}.") as scratch:
            locked.folder.rename(Path(scratch) / locked.folder.name)


def _sound(root: Path) -> LockedVersion | None:
    """The newest version, which is signed; None where there is none yet."""
    contract = inspect(root, as_of=date.min)
    if contract.findings:
        raise ContractError(
            f"{root}: the contract is broken, so nothing can be locked upon it; restore what was"
            f" signed (from version control). {_told(contract.findings)}"
        )
    if not contract.versions:
        return None
    newest = contract.versions[-1]
    if newest.lacks:
        raise ContractError(
            f"{root}: version {newest.number} still lacks the signature of"
            f" {' and '.join(newest.lacks)}, expected a signed version to follow. Have it signed"
            f" (`tieout plan sign {newest.number} --as PERSON`), or take it back (`tieout plan"
            f" withdraw {newest.number}`)"
        )
    return newest


def _demand_amendment(plan: Plan, draft: Path, before: LockedVersion | None) -> None:
    """From version 2 on: a reason, and a first day after that of the version before."""
    if before is None:
        return
    sheet = draft / file_name("plan")
    if plan.settings["reason"] is None:
        raise ContractError(
            f"{sheet}: found no reason, expected why version {before.number + 1} amends version"
            f" {before.number}; set the key reason"
        )
    first_day = plan.settings["effective_from"]
    if not (isinstance(first_day, date) and first_day > before.effective_from):
        raise ContractError(
            f"{sheet}: found effective_from {first_day}, expected a day after"
            f" {before.effective_from}, when version {before.number} began"
        )


def _demand_signers(plan: Plan, draft: Path, before: LockedVersion | None) -> None:
    """Every department that signs has somebody with a key, and two of three had it before."""
    sheet = draft / file_name("people")
    for line, problem in shared_keys(plan):
        raise ContractError(f"{sheet}:{line}: {problem}, expected a key for each person")
    signers = signers_of(plan)
    for department in SIGNING_DEPARTMENTS:
        if not any(each["department"] == department for each in signers.values()):
            raise ContractError(
                f"{sheet}: found nobody of {department} with signs = yes and a public key, expected"
                " one: `tieout plan key PERSON` makes a key and tells what to write there"
            )
    if before is None or before.plan is None:
        return
    known = signers_of(before.plan)
    continuing = {
        str(row["department"]) for name, row in signers.items() if continues(row, known.get(name))
    }
    if len(continuing) < CONTINUING:
        told = ", ".join(sorted(continuing)) or "none"
        raise ContractError(
            f"{sheet}: found signers of version {before.number} with the same key in {told},"
            f" expected them in {CONTINUING} of {', '.join(SIGNING_DEPARTMENTS)}; change the keys"
            " of one department at a time"
        )


def _may_sign(
    locked: LockedVersion, before: LockedVersion | None, person: str, key: SigningKey
) -> str:
    """The department that the person signs for; raises ContractError where they may not."""
    sheet = f"v{locked.number}/{file_name('people')}"
    people = {} if locked.plan is None else people_of(locked.plan)
    row = people.get(person)
    if row is None:
        raise ContractError(f"{sheet}: found no {person!r}, expected one of {', '.join(people)}")
    if problem := not_a_signer(row):
        raise ContractError(f"{sheet}: {person} cannot sign: {problem}")
    department = str(row["department"])
    if row["public_key"] != key.public_key:
        raise ContractError(
            f"{sheet}: the key given is not that of {person}: found {key.public_key}, expected"
            f" {row['public_key']}"
        )
    if department in locked.signed_by:
        raise ContractError(
            f"version {locked.number} is signed for {department} already, by"
            f" {locked.signed_by[department]}"
        )
    if before is not None and before.plan is not None:
        known = people_of(before.plan)
        fresh = [
            name
            for name in (*locked.signed_by.values(), person)
            if not continues(people[name], known.get(name))
        ]
        if len(fresh) > len(SIGNING_DEPARTMENTS) - CONTINUING:
            raise ContractError(
                f"{' and '.join(fresh)} did not sign with these keys in version {before.number};"
                f" expected {CONTINUING} of the three signatures by its signers"
            )
    return department


def _chain_bytes(entries: Sequence[tuple[int, str]]) -> bytes:
    versions = [{"version": number, "lock_sha256": found} for number, found in entries]
    return canonical_json({"format": FORMAT, "versions": versions})


def _told(findings: Iterable[Finding], most: int = 5) -> str:
    findings = list(findings)
    lines = [f"\n{finding}" for finding in findings[:most]]
    more = len(findings) - most
    return "".join(lines) + (f"\nand {more} more findings" if more > 0 else "")
