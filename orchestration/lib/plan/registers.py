"""Registers: what people add to a plan while it is in force, each row signed by who adds it.

Belongs here: the four registers (commitments, notes, waivers, explanations), adding a row, reading
them back with everything that is wrong with them. Does not belong here: what follows from a row
(dbt, the laws) and when it no longer holds.

A register is a CSV file of numbered rows. Every row holds the SHA-256 of the line before it, and
signatures over all its other cells, so a row that was changed, removed, added, moved or signed by
somebody else shows. registers.json holds how many rows each register has and the hash of the last.
A register that was cut off at its end together with its entry there cannot show that of itself:
for that `read_register` takes the head that the last publication was made with. A person whose key
was replaced by an amendment could still sign rows dated before it; such a row stands at the end of
its register, later rows before it.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

from orchestration.lib.plan.contract import (
    Contract,
    ContractError,
    Finding,
    LockedVersion,
    People,
    not_a_signer,
    people_of,
    without_key,
)
from orchestration.lib.plan.files import (
    FORMAT,
    HEADS,
    FormError,
    canonical_json,
    lines_of,
    read_heads,
    read_instant,
    read_whole,
    sha256,
    shown,
    told_instant,
    write_durably,
    writing,
)
from orchestration.lib.plan.folder import read_plan
from orchestration.lib.plan.inspection import inspect
from orchestration.lib.plan.keys import SIGNATURE, GivenSignature, SigningKey, is_signed_by
from orchestration.lib.plan.model import Plan, Value, canonical, parse
from orchestration.lib.plan.sheets import (
    CLAIM_METRICS,
    DEPARTMENTS,
    REASONS,
    Column,
    kpis,
)
from orchestration.lib.sources.config import did_you_mean

NO_ROW = "0" * 64
ALL = "all"
_CONDITION = re.compile(r"[a-z][a-z0-9_]*")

#: Person and key of each department that signs; None: signs later, on another machine.
Signers = Mapping[str, tuple[str, SigningKey | GivenSignature | None]]


class RegisterError(ContractError):
    """A row cannot be added; says what was found, expected and what to do."""


@dataclass(frozen=True)
class Register:
    """The rows that are as they were signed, in order, and everything that is wrong.

    A row has the columns of its table in `tables.TABLES`; times are in UTC without a zone. `head`:
    number and hash of the last row, what a publication is made with; None where there is none.
    """

    rows: tuple[dict[str, Any], ...] = ()
    findings: tuple[Finding, ...] = ()
    head: tuple[int, str] | None = None


@dataclass(frozen=True)
class _Kind:
    """One register: its values, who signed and when, and who may."""

    table: str
    values: tuple[Column, ...]
    by: str
    at: str
    #: What is wrong with these departments and people as signers, by the values signed.
    may_not: Callable[[Mapping[str, Value], Mapping[str, str], People], str | None]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file, in order."""
        names = [column.name for column in self.values]
        return ("number", *names, self.by, self.at, "previous", "signatures")


@dataclass
class _Read:
    """The state of reading a register, line by line."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=dict)
    last_line: int = 1
    is_last_sound: bool = True
    last_number: int = 0
    last_hash: str = NO_ROW


# --- Who may sign --------------------------------------------------------------------------------


def _one_of_sales(
    values: Mapping[str, Value], signers: Mapping[str, str], people: People
) -> str | None:
    if [*signers] != ["sales"]:
        return f"found {_joined(signers)}, expected one person of sales: Sales owes the rate"
    return None


def _anybody(values: Mapping[str, Value], signers: Mapping[str, str], people: People) -> str | None:
    if len(signers) != 1:
        return f"found {_joined(signers)}, expected one person: the item's owner or their deputy"
    return None


def _both_departments(
    values: Mapping[str, Value], signers: Mapping[str, str], people: People
) -> str | None:
    if {*signers} != {"marketing", "sales"}:
        return f"found {_joined(signers)}, expected marketing and sales: a waiver takes both"
    for person in signers.values():
        if problem := not_a_signer(people[person]):
            return f"{person} does not sign for the department: {problem}"
    return None


def _controller_or_own(
    values: Mapping[str, Value], signers: Mapping[str, str], people: People
) -> str | None:
    own = str(values["department"])
    expected = f"one person of finance or revops, or who signs for {own}"
    if len(signers) != 1:
        return f"found {_joined(signers)}, expected {expected}"
    ((department, person),) = signers.items()
    if department in ("finance", "revops"):
        return None
    if department != own or not_a_signer(people[person]):
        return f"found {person} of {department}, expected {expected}"
    return None


def _joined(signers: Mapping[str, str]) -> str:
    return " and ".join(f"{person} of {name}" for name, person in signers.items()) or "nobody"


# --- The registers -------------------------------------------------------------------------------

_CLAIMED = (
    *CLAIM_METRICS,
    *(row["metric"] for row in kpis() if row["is_additive"] == "true"),
)
REGISTERS: dict[str, _Kind] = {
    "commitments": _Kind(
        "plan_commitment",
        (
            Column("campaign_key", "text", "The campaign's key, as in dim_campaign", True),
            Column("cohort_start_date", "date", "The first day of the cohort's period", True),
            Column(
                "metric",
                "choice",
                "The rate that is committed to",
                True,
                tuple(row["metric"] for row in kpis() if row["unit"] == "rate"),
            ),
            Column("rate", "decimal", "The expected rate", True, (), 0, 1),
            Column("window_days", "integer", "The days a lead has", True, (), 1, 3660),
        ),
        "committed_by",
        "committed_at",
        _one_of_sales,
    ),
    "notes": _Kind(
        "plan_note",
        (
            Column("item", "text", "The variance item's id", True),
            Column("why", "text", "Why the KPI missed", True),
            Column("action", "text", "What is done about it", True),
            Column("due_date", "date", "The day until which it is done", True),
            Column("closes", "boolean", "Whether the item is closed", True),
        ),
        "noted_by",
        "noted_at",
        _anybody,
    ),
    "waivers": _Kind(
        "plan_waiver",
        (
            Column("law", "text", "The law's id", True),
            Column("scope", "text", "The scope: all, or column=value; …", True),
            Column("reason", "text", "The reason", True),
            Column("expires_on", "date", "The first day on which it no longer holds", True),
        ),
        "waived_by",
        "waived_at",
        _both_departments,
    ),
    "explanations": _Kind(
        "plan_explanation",
        (
            Column("department", "choice", "The department that claims", True, DEPARTMENTS),
            Column("metric", "choice", "What was claimed", True, _CLAIMED),
            Column("period_start_date", "date", "The first day of the claim's period", True),
            Column("period_end_date", "date", "The first day after it", True),
            Column("scope", "scope", "The claim's scope", True),
            Column("reason", "choice", "The difference's code", True, REASONS),
            Column("value", "decimal", "Claim less books", True),
            Column("note", "text", "The difference in words", True),
        ),
        "explained_by",
        "explained_at",
        _controller_or_own,
    ),
}


# --- Adding --------------------------------------------------------------------------------------


def append(
    root: Path,
    register: str,
    values: Mapping[str, Any],
    signers: Signers,
    *,
    at: datetime,
    draft: Plan | None = None,
    laws: Collection[str] | None = None,
) -> int:
    """Add a signed row to a register and return its number; all or nothing.

    Args:
        root: the plan's root.
        register: commitments, notes, waivers or explanations.
        values: a value for every column, typed or as text.
        signers: person and key of each department that signs.
        at: when; without a zone it is in UTC.
        draft: the plan whose people sign while no version is locked; `draft` below the root where
            none is given.
        laws: the ids of the laws that can be waived; any text where none are given.

    Raises RegisterError where a value is none, the signers may not, or a key is not theirs; and
    where the contract or the register is not as it was signed.
    """
    root.mkdir(parents=True, exist_ok=True)
    with writing(root):
        texts = _next_row(root, register, values, signers, at, draft, laws)
        number = int(texts["number"]) - 1
        signed = _signatures(register, texts, signers)
        if missing := [person for person, _ in signers.values() if person not in signed]:
            raise RegisterError(f"{' and '.join(missing)} has yet to sign, so nothing was added")
        signatures = [
            f"{department} {person} {signed[person]}"
            for department, (person, _) in sorted(signers.items())
        ]
        line = _line([*texts.values(), "; ".join(signatures)])
        path = _path(root, register)
        before = path.read_bytes() if path.exists() else _line(_kind(register).columns)
        heads = read_heads(root) if (root / HEADS).exists() else {}
        if not heads:
            # It stands before the first row does: a row without it would look tampered with.
            write_durably(root / HEADS, _heads_bytes(heads))
        write_durably(path, before + line)
        write_durably(root / HEADS, _heads_bytes(heads | {register: (number + 1, sha256(line))}))
    return number + 1


def sign_ahead(
    root: Path,
    register: str,
    values: Mapping[str, Any],
    signers: Signers,
    *,
    at: datetime,
    draft: Plan | None = None,
    laws: Collection[str] | None = None,
) -> dict[str, str]:
    """Sign the row that would be added next, and add nothing: person to signature.

    Arguments as of `append`; whoever has no key here signs later. The same values at the same
    instant with these signatures (`GivenSignature`) complete the row, on any machine that has the
    plan as it is now.
    """
    texts = _next_row(root, register, values, signers, at, draft, laws)
    return _signatures(register, texts, signers)


def _signatures(register: str, texts: Mapping[str, str], signers: Signers) -> dict[str, str]:
    """The signature of everybody who has a key, by person."""
    return {
        person: key.sign(_message(register, texts, department, person))
        for department, (person, key) in signers.items()
        if key is not None
    }


def _next_row(
    root: Path,
    register: str,
    values: Mapping[str, Any],
    signers: Signers,
    at: datetime,
    draft: Plan | None,
    laws: Collection[str] | None,
) -> dict[str, str]:
    """The cells of the row to be added, but for the signatures."""
    kind = _kind(register)
    moment = read_instant(told_instant(at))
    typed = _typed(register, kind, values)
    _demand_sense(register, typed, moment, laws)
    contract = inspect(root, as_of=date.min)
    if contract.findings:
        raise RegisterError(
            "the contract is broken, so nothing can be added to it; restore what was signed"
            " (from version control):\n" + "\n".join(map(str, contract.findings[:5]))
        )
    if draft is None and not contract.versions:
        draft = _draft(root)
    people = people_then(contract, draft, moment)
    if people is None:
        raise RegisterError(
            f"{root}: found no version of the plan, expected one, or a draft in {root}/draft:"
            " its sheet people says who signs"
        )
    by = _demand_signers(kind, typed, signers, people)
    current = read_register(root, register, contract, draft=draft)
    if current.findings:
        raise RegisterError(
            f"{register}.csv is not what was signed, so nothing can be added to it; restore it"
            " (from version control):\n" + "\n".join(map(str, current.findings[:5]))
        )
    number, previous = current.head or (0, NO_ROW)
    return {
        "number": str(number + 1),
        **{column.name: canonical(column, typed[column.name]) for column in kind.values},
        kind.by: by,
        kind.at: told_instant(moment),
        "previous": previous,
    }


def _kind(register: str) -> _Kind:
    if register not in REGISTERS:
        raise RegisterError(
            f"found the register {register!r}, expected one of {', '.join(REGISTERS)}"
        )
    return REGISTERS[register]


def _typed(register: str, kind: _Kind, values: Mapping[str, Any]) -> dict[str, Value]:
    """The values as their columns' kinds; raises RegisterError with everything that is wrong."""
    problems = []
    names = [column.name for column in kind.values]
    for name in values:
        if name not in names:
            near = did_you_mean(name, names)
            hint = f"; did you mean {near!r}?" if near else ""
            problems.append(f"{name}: found a value that {register} has no column for{hint}")
    typed: dict[str, Value] = {}
    for column in kind.values:
        given = values.get(column.name)
        try:
            # What is read back is what is written: one form for all that come in.
            text = given if isinstance(given, str) else canonical(column, given)
            typed[column.name] = parse(column, text)
        except ValueError as error:
            problems.append(f"{column.name}: {error}")
            continue
        if typed[column.name] is None:
            told = column.help[:1].lower() + column.help[1:]
            problems.append(f"{column.name}: found nothing, expected {told}")
    if problems:
        raise RegisterError("\n".join(problems))
    return typed


def _demand_sense(
    register: str, typed: dict[str, Value], at: datetime, laws: Collection[str] | None
) -> None:
    """What no single value shows; a waiver's scope is brought to its one form."""
    today = at.date()
    match register:
        case "notes":
            due = cast(date, typed["due_date"])
            if due < today and not typed["closes"]:
                raise RegisterError(f"due_date: found {due}, expected {today} or later")
        case "waivers":
            law = str(typed["law"])
            if laws is not None and law not in laws:
                near = did_you_mean(law, sorted(laws))
                hint = f"; did you mean {near!r}?" if near else ""
                raise RegisterError(
                    f"law: found {law!r}, expected a law that can be waived:"
                    f" {', '.join(sorted(laws))}{hint}"
                )
            expires = cast(date, typed["expires_on"])
            if expires <= today:
                raise RegisterError(
                    f"expires_on: found {expires}, expected a day after {today}: it is the first on"
                    " which the waiver no longer holds"
                )
            typed["scope"] = _scope(str(typed["scope"]))
        case "explanations":
            start, end = (
                cast(date, typed["period_start_date"]),
                cast(date, typed["period_end_date"]),
            )
            if end <= start:
                raise RegisterError(
                    f"period_end_date: found {end}, expected a day after {start}: it is the first"
                    " after the period"
                )


def _scope(text: str) -> str:
    """`all`, or `column=value; …` in one form; raises RegisterError."""
    if text.lower() == ALL:
        return ALL
    conditions = []
    for part in text.split(";"):
        column, equals, value = part.partition("=")
        column, value = column.strip(), value.strip()
        if not (equals and value and _CONDITION.fullmatch(column)):
            raise RegisterError(
                f"scope: found {text!r}, expected all, or conditions on the law's offending rows"
                " such as 'campaign_key=google/123; version=1' (`tieout explain LAW` shows them)"
            )
        conditions.append(f"{column}={value}")
    return "; ".join(conditions)


def _demand_signers(
    kind: _Kind, values: Mapping[str, Value], signers: Signers, people: People
) -> str:
    """The cell that tells who signed; raises RegisterError where they may not."""
    named = {department: person for department, (person, _) in sorted(signers.items())}
    for department, (person, key) in signers.items():
        row = people.get(person)
        if row is None:
            near = did_you_mean(person, [*people])
            hint = f"; did you mean {near!r}?" if near else ""
            raise RegisterError(
                f"found the person {person!r}, expected one of {', '.join(people)} (the plan's"
                f" sheet people){hint}"
            )
        if row["department"] != department:
            raise RegisterError(
                f"found {person} for {department}, expected somebody of it; {person} is of"
                f" {row['department']}"
            )
        if problem := without_key(row):
            raise RegisterError(f"{person} cannot sign: {problem}")
        if key is not None and row["public_key"] != key.public_key:
            raise RegisterError(
                f"the key given is not that of {person}: found {key.public_key}, expected"
                f" {row['public_key']}, as the plan's sheet people has it"
            )
    if problem := kind.may_not(values, named, people):
        raise RegisterError(problem)
    return _by(named)


def _draft(root: Path) -> Plan | None:
    """The plan in `draft`, if there is one; PlanError where it cannot be read."""
    return read_plan(root / "draft") if (root / "draft").is_dir() else None


# --- Reading -------------------------------------------------------------------------------------


def read_registers(
    root: Path,
    contract: Contract,
    known_heads: Mapping[str, tuple[int, str]] | None = None,
) -> dict[str, Register]:
    """All registers of a plan; `known_heads` are those of the last publication, by register."""
    known = known_heads or {}
    return {
        name: read_register(root, name, contract, known_head=known.get(name)) for name in REGISTERS
    }


def read_register(
    root: Path,
    register: str,
    contract: Contract,
    *,
    known_head: tuple[int, str] | None = None,
    draft: Plan | None = None,
) -> Register:
    """The rows of a register and every way in which they are not what was signed.

    Never raises for what stands there. A finding names the line that was changed. Rows signed by
    people of a version that is itself not as it was signed are left out: its findings say why.

    Args:
        root: the plan's root.
        register: commitments, notes, waivers or explanations.
        contract: what `inspect` found; its people are who may sign.
        known_head: number and hash of the last row at the last publication (`Register.head`).
        draft: the plan whose people count while no version is locked; without either no row counts.
    """
    kind = _kind(register)
    path = _path(root, register)
    state = _Read()
    if os.path.lexists(path):
        try:
            content = read_whole(path)
        except ValueError as error:
            return Register((), (Finding(None, path.name, None, str(error)),))
        lines = lines_of(content) or [b""]
        heading = _line(kind.columns)
        if lines[0] != heading:
            state.findings.append(
                Finding(
                    None,
                    path.name,
                    1,
                    "the heading is not that of the register",
                    shown(heading),
                    shown(lines[0]),
                )
            )
            state.is_last_sound = False
        for place, line in enumerate(lines[1:], start=2):
            _read_line(state, register, kind, place, line, contract, draft)
    heads = [(HEADS, _recorded_head(root, register))]
    heads.append(("the last publication", known_head))
    for source, head in heads:
        if head is not None:
            _judge_head(state, path.name, source, head)
    last = (state.last_number, state.last_hash) if state.last_number else None
    return Register(tuple(state.rows), tuple(state.findings), last)


def _read_line(
    state: _Read,
    register: str,
    kind: _Kind,
    place: int,
    line: bytes,
    contract: Contract,
    draft: Plan | None,
) -> None:
    """One line: in its form, signed by who may, and following the line before."""
    file = f"{register}.csv"
    found = sha256(line)
    state.last_line = place
    try:
        texts, row, signatures = _parsed(kind, line)
        people = people_then(contract, draft, row[kind.at])
        is_counted = people is not None and not _is_broken(contract, row[kind.at])
        if people is not None:
            try:
                _demand_signed(register, kind, texts, row, signatures, people)
            except ValueError:
                if is_counted:
                    raise
                # The people themselves were changed: that is the finding, not this row.
                people = None
        number = int(row["number"])
        if state.is_last_sound and number != state.last_number + 1:
            raise ValueError(
                f"found number {number}, expected {state.last_number + 1}: rows were removed, added"
                " or moved"
            )
        if number <= state.last_number:
            raise ValueError(f"found number {number} after number {state.last_number}")
        if state.is_last_sound and row["previous"] != state.last_hash:
            state.findings.append(
                Finding(
                    None,
                    file,
                    place,
                    f"row {number} does not follow the row that stands before it",
                    state.last_hash,
                    row["previous"],
                )
            )
            state.is_last_sound = False
            return
    except ValueError as error:
        problem = f"is not what was signed: {error}; it reads {shown(line)}"
        state.findings.append(Finding(None, file, place, problem, None, found))
        state.is_last_sound = False
        return
    before = state.findings[-1] if state.findings else None
    follows = number == state.last_number + 2
    if not state.is_last_sound and before and follows and before.line == place - 1 > 1:
        # The row after it is sound and says what this one was.
        state.findings[-1] = replace(before, expected=row["previous"])
    state.is_last_sound, state.last_number, state.last_hash = True, number, found
    state.hashes[number] = found
    del row["previous"]
    if people is not None:
        state.rows.append(row)


def _parsed(
    kind: _Kind, line: bytes
) -> tuple[dict[str, str], dict[str, Any], list[tuple[str, str, str]]]:
    """The cells as text and typed, and the signatures; raises ValueError for any other form."""
    try:
        cells = next(csv.reader(io.StringIO(line.decode(), newline=""), strict=True), [])
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"found no row of CSV ({error})") from error
    if len(cells) != len(kind.columns):
        raise ValueError(f"found {len(cells)} cells, expected {len(kind.columns)}")
    if _line(cells) != line:
        raise ValueError("found another form than Tieout writes")
    texts = dict(zip(kind.columns, cells, strict=True))
    if not re.fullmatch(r"[1-9]\d{0,8}", texts["number"], re.ASCII):
        raise ValueError(f"found the number {texts['number']!r}")
    if not re.fullmatch(r"[0-9a-f]{64}", texts["previous"]):
        raise ValueError("found no SHA-256 of the row before")
    row: dict[str, Any] = {"number": int(texts["number"])}
    for column in kind.values:
        value = parse(column, texts[column.name])
        if value is None or canonical(column, value) != texts[column.name]:
            raise ValueError(f"found {column.name} {texts[column.name]!r}")
        row[column.name] = value
    row[kind.by] = texts[kind.by]
    try:
        row[kind.at] = read_instant(texts[kind.at])
    except ValueError as error:
        raise ValueError(f"found the time {texts[kind.at]!r}") from error
    row["previous"] = texts["previous"]
    signatures = []
    for part in texts["signatures"].split("; "):
        words = part.split(" ")
        if len(words) != 3 or not SIGNATURE.fullmatch(words[2]):
            raise ValueError("found no signature of department, person and 128 digits")
        signatures.append((words[0], words[1], words[2]))
    if signatures != sorted(signatures) or len({each[0] for each in signatures}) < len(signatures):
        raise ValueError("found signatures in another order than by department")
    return texts, row, signatures


def _demand_signed(
    register: str,
    kind: _Kind,
    texts: Mapping[str, str],
    row: Mapping[str, Any],
    signatures: Sequence[tuple[str, str, str]],
    people: People,
) -> None:
    """Raises ValueError unless those who may have signed this row."""
    unsigned = {name: text for name, text in texts.items() if name != "signatures"}
    for department, person, signature in signatures:
        who = people.get(person)
        if who is None or who["department"] != department:
            raise ValueError(f"the plan has no {person} of {department}")
        if problem := without_key(who):
            raise ValueError(f"{person} cannot sign: {problem}")
        message = _message(register, unsigned, department, person)
        if not is_signed_by(str(who["public_key"]), message, signature):
            raise ValueError(f"the signature of {person} is not theirs over this row")
    named = {department: person for department, person, _ in signatures}
    if problem := kind.may_not(row, named, people):
        raise ValueError(problem)
    if texts[kind.by] != _by(named):
        raise ValueError(f"found {kind.by} {texts[kind.by]!r}, expected {_by(named)!r}")


def _recorded_head(root: Path, register: str) -> tuple[int, str] | None:
    try:
        return read_heads(root).get(register)
    except FormError:
        # `inspect` says what is wrong with registers.json.
        return None


def _judge_head(state: _Read, file: str, source: str, head: tuple[int, str]) -> None:
    """The last row known then stands there still; later rows were added since."""
    number, expected = head
    if state.hashes.get(number) == expected:
        return
    if state.findings:
        last = state.findings[-1]
        if last.line == state.last_line and number == state.last_number + 1:
            # No row follows the last one to say what it was.
            state.findings[-1] = replace(last, expected=expected)
        return
    if (source == HEADS and number in state.hashes) or expected in state.hashes.values():
        # The rows hold together and are signed, so it is not they that were changed.
        found = state.hashes.get(number)
        told = None if found is None else f"row {number}: {found}"
        problem = f"says another last row of {file} than stands there"
        place = HEADS if source == HEADS else file
        state.findings.append(
            Finding(None, place, None, problem, f"row {number}: {expected}", told)
        )
        return
    first = state.last_number + 1
    if number == first:
        problem = f"row {number} that {source} knows is gone"
    elif number > first:
        problem = f"rows {first} to {number} that {source} knows are gone"
    else:
        problem = f"row {number} is not the one that {source} knows"
    state.findings.append(
        Finding(
            None,
            file,
            None,
            problem,
            f"row {number}: {expected}",
            f"{state.last_number} rows",
        )
    )


def people_then(contract: Contract, draft: Plan | None, at: datetime) -> People | None:
    """Who could sign a row of that moment; None where no plan says it, or none that can be read."""
    version = version_then(contract, at)
    if version is not None:
        return None if version.plan is None else people_of(version.plan)
    if contract.versions or draft is None:
        return None
    return people_of(draft)


def version_then(contract: Contract, at: datetime) -> LockedVersion | None:
    """The version in force on the day, of those locked by then if there are any; else the first.

    An amendment that begins before the day it is locked does not unsign what was signed meanwhile.
    """
    day = at.date()
    known = [version for version in contract.versions if version.locked_at <= at]
    then = Contract(tuple(known), ()).in_force(day) or contract.in_force(day)
    return then or next(iter(contract.versions), None)


def _is_broken(contract: Contract, at: datetime) -> bool:
    version = version_then(contract, at)
    return version is not None and any(
        finding.version == version.number for finding in contract.findings
    )


def _path(root: Path, register: str) -> Path:
    return root / f"{register}.csv"


def _by(named: Mapping[str, str]) -> str:
    """One person by name; more than one by department too."""
    if len(named) == 1:
        return next(iter(named.values()))
    return "; ".join(f"{department}: {person}" for department, person in named.items())


def _message(register: str, texts: Mapping[str, str], department: str, person: str) -> bytes:
    """What a signature is over: no cell holds a line feed, so no other cells give these lines."""
    cells = (f"{name}={text}" for name, text in texts.items())
    return "\n".join(("tieout plan register", register, *cells, department, person)).encode()


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _heads_bytes(heads: Mapping[str, tuple[int, str]]) -> bytes:
    told = {name: {"rows": number, "sha256": found} for name, (number, found) in heads.items()}
    return canonical_json({"format": FORMAT, "heads": told})
