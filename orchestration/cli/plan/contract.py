"""`tieout plan key|lock|sign|withdraw|amend|diff|show`: the plan as a contract.

Belongs here: arguments and output. Does not belong here: what is locked and signed
(`orchestration.lib.plan.locking`), what is told to change (`orchestration.lib.plan.difference`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.output import print_json, print_table
from orchestration.cli.plan.common import (
    At,
    Json,
    Root,
    Sources,
    errors_told,
    instant,
    key_of,
    plan_root,
    shown,
)

if TYPE_CHECKING:
    from orchestration.lib.plan.check import Report
    from orchestration.lib.plan.contract import Contract, Finding, LockedVersion
    from orchestration.lib.plan.keys import SigningKey
    from orchestration.lib.plan.model import Plan
    from orchestration.lib.plan.registers import Register

_BLOCKED = 3


def key(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Short name, as in people.")],
    as_json: Json = False,
) -> None:
    """Make a person's signing key and print its public half, which goes into the sheet people.

    The secret half stays in TIEOUT_KEYS (~/.config/tieout/keys), readable by you alone. Who has
    it can sign as this person: do not copy it into a repository or a chat.
    """
    from orchestration.lib.plan.keys import create_key, key_file
    from orchestration.settings import keys_folder

    with errors_told():
        public = create_key(person, keys_folder())
    path = key_file(person, keys_folder())
    if as_json:
        print_json({"person": person, "public_key": public, "file": str(path)})
        return
    typer.echo(public)
    typer.echo(
        f"This is the public key of {person}: write it into the plan's sheet people (column"
        f" public_key).\nThe secret half is {path}; keep it to yourself and keep a copy safe.",
        err=True,
    )


def lock(
    draft: Annotated[Path, typer.Argument(metavar="DRAFT", help="Folder of the draft.")],
    root: Root = None,
    sources: Sources = None,
    signing: Annotated[
        list[str] | None,
        typer.Option("--sign", metavar="PERSON", help="Sign as this person too; repeatable."),
    ] = None,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Check a draft against the laws of a plan and lock it as the next version.

    Exits 3, with the arithmetic, where a law is broken that no waiver covers; nothing is locked
    then. A version counts once marketing, sales and finance have signed it, from its first day.
    """
    from orchestration.lib.plan import locking
    from orchestration.lib.plan.contract import Contract
    from orchestration.lib.plan.folder import read_plan
    from orchestration.lib.plan.registers import read_register

    moment = instant(at)
    with errors_told():
        folder = plan_root(root, sources)
        plan = read_plan(draft)
        keys = {person: key_of(person) for person in signing or ()}
        _demand_signers(plan, keys)
        before = locking.inspect(folder, as_of=date.min) if folder.is_dir() else Contract((), ())
        waivers = read_register(folder, "waivers", before, draft=plan)
        _demand_sound((*before.findings, *waivers.findings))
        report = _judged(plan, waivers, sources, moment)
        if not report.is_sound:
            _tell_broken(report, folder, as_json=as_json)
            raise typer.Exit(_BLOCKED)
        version = locking.lock(folder, draft, locked_at=moment)
        for person, secret in keys.items():
            locking.sign(folder, version.number, person, secret, signed_at=moment)
        contract = locking.inspect(folder, as_of=date.min)
    locked = _known(contract, version.number)
    if as_json:
        print_json(_as_dict(locked) | {"laws": report.as_dict()["laws"]})
        return
    for result in report.results:
        if result.status == "waived":
            typer.echo(f"law {result.law} is broken and waived: {result.reason}")
    typer.echo(f"version {locked.number} is locked as {locked.sha256}")
    _tell_signatures(locked)
    _tell_start(locked, contract)


def sign(
    version: Annotated[int, typer.Argument(metavar="VERSION", help="Number of the version.")],
    person: Annotated[str, typer.Option("--as", metavar="PERSON", help="Who signs.")],
    root: Root = None,
    sources: Sources = None,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Sign a locked version for your department, with your own key."""
    from orchestration.lib.plan import locking

    with errors_told():
        folder = plan_root(root, sources)
        locking.sign(folder, version, person, key_of(person), signed_at=instant(at))
        contract = locking.inspect(folder, as_of=date.min)
    locked = _known(contract, version)
    if as_json:
        print_json(_as_dict(locked))
        return
    _tell_signatures(locked)
    _tell_start(locked, contract)


def withdraw(
    version: Annotated[int, typer.Argument(metavar="VERSION", help="Number of the version.")],
    root: Root = None,
    sources: Sources = None,
    as_json: Json = False,
) -> None:
    """Take back the newest version while one of the three has not signed it."""
    from orchestration.lib.plan import locking

    with errors_told():
        locking.withdraw(plan_root(root, sources), version)
    if as_json:
        print_json({"withdrawn": version})
    else:
        typer.echo(f"version {version} is withdrawn; drafts stay as they are")


def amend(
    root: Root = None,
    sources: Sources = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FOLDER", help="Where; draft/ of the plan by default."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why the plan is amended.")] = "",
    effective_from: Annotated[
        str, typer.Option("--effective-from", metavar="DATE", help="First day it counts.")
    ] = "",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="CELL=VALUE",
            help="sheet:key,…:column=value, e.g. targets:FY2026-Q1,company:mqls=450; a setting is"
            " plan:key=value. Repeatable.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy the newest version into a draft to change; the locked version stays as it is."""
    from orchestration.lib.plan import locking
    from orchestration.lib.plan.contract import ContractError
    from orchestration.lib.plan.difference import amended, differences, with_settings
    from orchestration.lib.plan.folder import write_plan

    with errors_told():
        folder = plan_root(root, sources)
        contract = locking.inspect(folder, as_of=date.min)
        _demand_sound(contract.findings)
        if not contract.versions:
            raise ContractError(
                f"{shown(folder)}: found no version, expected one to amend; `tieout plan lock`"
                " locks the first"
            )
        newest = contract.versions[-1]
        target = into or folder / "draft"
        if target.exists() and any(target.iterdir()) and not _is_version(target, newest):
            raise ContractError(
                f"{shown(target)}: found a draft, expected none; lock it, delete it or choose"
                " another folder with --into"
            )
        before = _plan_of(newest)
        settings = {"reason": reason} | (
            {"effective_from": effective_from} if effective_from else {}
        )
        plan = amended(with_settings(before, settings), changes or ())
        write_plan(plan, target)
        found = differences(before, plan)
    if as_json:
        print_json(
            {
                "amends": newest.number,
                "draft": str(target),
                "changes": [change.as_dict() for change in found],
            }
        )
        return
    typer.echo(f"{shown(target)} is version {newest.number}, to be changed")
    for change in found:
        typer.echo(f"  {change}")
    todo = ["change its CSV files, or its workbook (`tieout plan export`, `tieout plan import`)"]
    if not effective_from:
        todo.append(f"set effective_from in plan.csv, after {newest.effective_from}")
    if not reason:
        todo.append("set reason in plan.csv: why the plan is amended")
    todo.append(f"`tieout plan check {shown(target)}`, `tieout plan lock {shown(target)}`")
    typer.echo("next: " + "\n      ".join(todo))


def _is_version(draft: Path, version: LockedVersion) -> bool:
    """Whether the draft is that version, left where it was locked from: nobody's work is in it."""
    from orchestration.lib.plan.difference import differences
    from orchestration.lib.plan.folder import read_plan
    from orchestration.lib.plan.model import PlanError

    try:
        return not differences(_plan_of(version), read_plan(draft))
    except PlanError:
        return False


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="Version, or folder, to compare from.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Version, or folder, to compare to.")],
    root: Root = None,
    sources: Sources = None,
    as_json: Json = False,
) -> None:
    """Show every cell and row that differs from A to B, each a version's number or a folder."""
    from orchestration.lib.plan.difference import differences

    with errors_told():
        before, after = (_plan_named(name, root, sources) for name in (a, b))
        found = differences(before, after)
    if as_json:
        print_json({"a": a, "b": b, "changes": [change.as_dict() for change in found]})
        return
    if not found:
        typer.echo(f"{a} and {b} are the same plan")
    for change in found:
        typer.echo(str(change))


def show(
    version: Annotated[
        int | None, typer.Argument(metavar="[VERSION]", help="One version; all when left out.")
    ] = None,
    root: Root = None,
    sources: Sources = None,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Show the locked versions: when each is in force, who signed it, its hash.

    Exits 1 where anything is not what was signed, and says what.
    """
    from orchestration.lib.plan import locking
    from orchestration.lib.plan.registers import read_registers

    day = instant(at).date()
    with errors_told():
        folder = plan_root(root, sources)
        contract = locking.inspect(folder, as_of=day)
        registers = read_registers(folder, contract)
        versions = [each for each in contract.versions if version in (None, each.number)]
        if version is not None and not versions and not contract.findings:
            _known(contract, version)
    findings = [*contract.findings]
    for register in registers.values():
        findings += register.findings
    if version is not None:
        findings = [each for each in findings if each.version in (None, version)]
    current = contract.in_force(day)
    if as_json:
        print_json(
            {
                "root": str(folder),
                "in_force": current and current.number,
                "versions": [_as_dict(each) for each in versions],
                "registers": {name: len(each.rows) for name, each in registers.items()},
                "findings": [vars(each) for each in findings],
            }
        )
    else:
        _show(versions, current, whole=version is not None)
        for finding in findings:
            typer.echo(f"error: {finding}", err=True)
    if findings:
        raise typer.Exit(1)


# --- Parts ---------------------------------------------------------------------------------------


def _show(versions: list[LockedVersion], current: LockedVersion | None, *, whole: bool) -> None:
    if not versions:
        typer.echo("no version is locked yet: `tieout plan lock DRAFT`")
        return
    if not whole:
        heads = ("", "version", "in force from", "to", "signed by", "locked as", "reason")
        rows = []
        for each in versions:
            lacks = f" (lacks {', '.join(each.lacks)})" if each.lacks else ""
            rows.append(
                (
                    "*" if current is not None and each.number == current.number else "",
                    str(each.number),
                    str(each.effective_from),
                    str(each.effective_to or ""),
                    (", ".join(each.signed_by.values()) or "nobody") + lacks,
                    each.sha256[:16],
                    each.reason or "",
                )
            )
        print_table(heads, rows)
        return
    for each in versions:
        for name, value in _as_dict(each).items():
            if isinstance(value, dict):
                for inner, text in value.items():
                    typer.echo(f"{name} {inner}: {text}")
            elif value is not None and value != []:
                typer.echo(f"{name}: {', '.join(value) if isinstance(value, list) else value}")


def _as_dict(version: LockedVersion) -> dict[str, Any]:
    """For JSON, and for people."""
    settings = {} if version.plan is None else version.plan.settings
    return {
        "version": version.number,
        "title": settings.get("title"),
        "company": settings.get("company"),
        "currency": settings.get("currency"),
        "sha256": version.sha256,
        "previous_sha256": version.previous_sha256,
        "effective_from": str(version.effective_from),
        "effective_to": version.effective_to and str(version.effective_to),
        "reason": version.reason,
        "locked_at": f"{version.locked_at.isoformat()}Z",
        "is_signed": version.is_signed,
        "signed_by": dict(version.signed_by),
        "lacks": list(version.lacks),
    }


def _known(contract: Contract, number: int) -> LockedVersion:
    from orchestration.lib.plan.contract import ContractError

    version = contract.version(number)
    if version is None:
        known = ", ".join(str(each.number) for each in contract.versions) or "none"
        raise ContractError(f"found no version {number}; the versions are: {known}")
    return version


def _plan_of(version: LockedVersion) -> Plan:
    from orchestration.lib.plan.folder import read_plan

    return read_plan(version.folder) if version.plan is None else version.plan


def _plan_named(name: str, root: Path | None, sources: Path | None) -> Plan:
    """The plan of a version's number, else of a folder."""
    from orchestration.lib.plan import locking
    from orchestration.lib.plan.folder import read_plan

    if not name.isdecimal() or Path(name).is_dir():
        return read_plan(Path(name))
    return _plan_of(_known(locking.inspect(plan_root(root, sources)), int(name)))


def _demand_sound(findings: tuple[Finding, ...]) -> None:
    from orchestration.lib.plan.contract import ContractError

    if findings:
        raise ContractError(
            "the contract is not what was signed; restore it (from version control)\n"
            + "\n".join(map(str, findings[:10]))
        )


def _demand_signers(plan: Plan, keys: dict[str, SigningKey]) -> None:
    """Whoever is to sign can, before anything is locked."""
    from orchestration.lib.plan.contract import ContractError, not_a_signer, people_of

    people = people_of(plan)
    for person, secret in keys.items():
        row = people.get(person)
        problem = "the sheet people has no such person" if row is None else not_a_signer(row)
        if problem is None and row is not None and row["public_key"] != secret.public_key:
            problem = f"their key is {secret.public_key}, the sheet people has {row['public_key']}"
        if problem:
            raise ContractError(f"{person} cannot sign this plan: {problem}; nothing was locked")


def _judged(plan: Plan, waivers: Register, sources: Path | None, moment: datetime) -> Report:
    """The laws of a plan on this draft, with the waivers that hold."""
    from expectations.laws import load_laws
    from expectations.waiver import Waiver, covers
    from orchestration.lib.plan.check import check_plan
    from orchestration.lib.sources.config import load_sources

    company = None if sources is None else load_sources(sources).company
    return check_plan(
        plan,
        [law for law in load_laws().values() if law.id.startswith("P")],
        registers={"waivers": waivers},
        as_of=moment.astimezone(UTC).replace(tzinfo=None),
        time_zone="UTC" if company is None else company.time_zone,
        reporting_currency=None if company is None else company.reporting_currency,
        covering=lambda rows: covers(Waiver(**row) for row in rows),
    )


def _tell_broken(report: Report, folder: Path, *, as_json: bool) -> None:
    from orchestration.cli.plan.check import show as show_report

    if as_json:
        print_json(report.as_dict())
        return
    show_report(report)
    broken = [result.law for result in report.results if result.status == "broken"]
    typer.echo(
        f"nothing was locked; broken: {', '.join(broken)}. Change the draft, or have both"
        " departments waive it for a time: `tieout waive LAW --reason … --expires DATE --as PERSON"
        f" --as PERSON --plan {shown(folder)}`",
        err=True,
    )


def _tell_signatures(version: LockedVersion) -> None:
    for department, person in version.signed_by.items():
        typer.echo(f"signed for {department} by {person}")
    if version.lacks:
        typer.echo(
            f"yet to sign: {', '.join(version.lacks)} (`tieout plan sign {version.number} --as"
            " PERSON`)"
        )


def _tell_start(version: LockedVersion, contract: Contract) -> None:
    """From when it counts, and what that does to days that were judged already."""
    when = f"it counts from {version.effective_from}"
    typer.echo(when if version.is_signed else f"{when}, once all have signed")
    before = contract.version(version.number - 1)
    if before is not None and version.effective_from <= version.locked_at.date():
        typer.echo(
            f"note: it was locked on {version.locked_at.date()}, so days from"
            f" {version.effective_from} that were judged by version {before.number} will be judged"
            " by this one"
        )
