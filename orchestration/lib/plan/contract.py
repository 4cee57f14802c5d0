"""The contract as it is told: versions, what is wrong with them, who may sign.

Belongs here: the types that locks, registers and a run share, and the plan's people as signers.
Does not belong here: reading and judging what stands on disk (`inspection`), writing it (`locking`,
`registers`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from orchestration.lib.plan.keys import is_usable
from orchestration.lib.plan.model import Plan, Value
from orchestration.lib.plan.sheets import SIGNING_DEPARTMENTS

#: Of the three signatures, how many must be by signers of the version before.
CONTINUING = 2

People = Mapping[str, Mapping[str, Value]]


class ContractError(ValueError):
    """A version cannot be locked or signed; says what was found, expected and what to do."""


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a contract; `file` is within the plan's root, `line` from 1."""

    version: int | None
    file: str
    line: int | None
    problem: str
    expected: str | None = None
    found: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        told = [f"{place}: {self.problem}"]
        if self.expected is not None:
            told.append(f"  expected {self.expected}")
        if self.found is not None:
            told.append(f"  found    {self.found}")
        return "\n".join(told)


@dataclass(frozen=True)
class LockedVersion:
    """One version as it stands; `plan` is None where its sheets cannot be read.

    `signed_by` holds the departments whose signature is good, with who signed. `is_signed`: all
    three have signed and nothing of the version was changed since. `effective_to` is the first day
    of the next signed version. `locked_at` is in UTC without a zone, as all times in the books.
    """

    number: int
    folder: Path
    plan: Plan | None
    sha256: str
    previous_sha256: str | None
    effective_from: date
    effective_to: date | None
    reason: str | None
    locked_at: datetime
    signed_by: Mapping[str, str]
    is_signed: bool

    @property
    def lacks(self) -> tuple[str, ...]:
        """The departments that have yet to sign."""
        return tuple(name for name in SIGNING_DEPARTMENTS if name not in self.signed_by)


@dataclass(frozen=True)
class Contract:
    """The locked versions, oldest first, and everything that is wrong with them."""

    versions: tuple[LockedVersion, ...]
    findings: tuple[Finding, ...]

    @property
    def head(self) -> tuple[int, str] | None:
        """Number and hash of the newest signed version: what a publication is made with."""
        signed = [version for version in self.versions if version.is_signed]
        return (signed[-1].number, signed[-1].sha256) if signed else None

    def version(self, number: int) -> LockedVersion | None:
        """The version of that number."""
        return next((each for each in self.versions if each.number == number), None)

    def in_force(self, day: date) -> LockedVersion | None:
        """The signed version with the latest first day not after `day`."""
        counting = [
            version
            for version in self.versions
            if version.is_signed and version.effective_from <= day
        ]
        return max(counting, key=lambda version: version.effective_from, default=None)


def people_of(plan: Plan) -> dict[str, Mapping[str, Value]]:
    """The rows of the sheet `people` by person."""
    return {str(row["person"]): row.cells for row in plan.rows("people")}


def not_a_signer(row: Mapping[str, Value]) -> str | None:
    """Why a person of the plan does not sign versions and waivers; None where they do."""
    if row["department"] not in SIGNING_DEPARTMENTS:
        return f"{row['department']} does not sign, only {', '.join(SIGNING_DEPARTMENTS)} do"
    if row["signs"] is not True:
        return "found signs empty or no, expected yes"
    return without_key(row)


def without_key(row: Mapping[str, Value]) -> str | None:
    """Why a person of the plan cannot sign anything; None where they can."""
    if row["public_key"] is None:
        return "found no public key; `tieout plan key PERSON` makes one"
    if not is_usable(str(row["public_key"])):
        return "found a public key that anybody could sign for; `tieout plan key PERSON` makes one"
    return None


def signers_of(plan: Plan) -> dict[str, Mapping[str, Value]]:
    """Those of a plan's people who sign versions and waivers."""
    return {name: row for name, row in people_of(plan).items() if not not_a_signer(row)}


def continues(row: Mapping[str, Value], before: Mapping[str, Value] | None) -> bool:
    """Whether a signer signed for the same department by the same key in the version before."""
    return (
        before is not None
        and not not_a_signer(before)
        and before["department"] == row["department"]
        and before["public_key"] == row["public_key"]
    )


def shared_keys(plan: Plan) -> Iterator[tuple[int, str]]:
    """Rows of `people` with another's key: one person could sign for two departments."""
    owners: dict[Value, str] = {}
    for row in plan.rows("people"):
        key, person = row["public_key"], str(row["person"])
        if key is not None and owners.setdefault(key, person) != person:
            yield row.number, f"found the public key of {owners[key]} for {person} as well"
