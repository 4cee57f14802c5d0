"""`tieout commit|note|waive|explain-claim`: what people add to a plan while it is in force.

Belongs here: arguments and output. Does not belong here: what a row must be and who may sign it
(`orchestration.lib.plan.registers`).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.output import print_json
from orchestration.cli.plan.common import (
    At,
    Json,
    Root,
    Sources,
    draft_of,
    errors_told,
    instant,
    key_of,
    plan_root,
    shown,
)

if TYPE_CHECKING:
    from orchestration.lib.plan.contract import People
    from orchestration.lib.plan.model import Plan

_MONTH = re.compile(r"\d{4}-\d\d")
_As = Annotated[str, typer.Option("--as", metavar="PERSON", help="Who signs, with their own key.")]


def commit(
    campaign: Annotated[
        str, typer.Argument(metavar="CAMPAIGN", help="Its campaign_key in dim_campaign.")
    ],
    cohort: Annotated[
        str, typer.Argument(metavar="COHORT", help="First day of the cohort, or its month.")
    ],
    rate: Annotated[str, typer.Option("--rate", help="Expected rate: 0.4 is 40 %.")],
    person: _As,
    metric: Annotated[str, typer.Option("--metric", help="The rate meant.")] = "rate_mql_sal",
    window: Annotated[
        int | None, typer.Option("--window", metavar="DAYS", help="Days a lead has; as planned.")
    ] = None,
    root: Root = None,
    sources: Sources = None,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Commit Sales to a conversion rate of a campaign's cohort, by which it is judged later."""
    with errors_told():
        folder, moment = plan_root(root, sources), instant(at)
        values = {
            "campaign_key": campaign,
            "cohort_start_date": f"{cohort}-01" if _MONTH.fullmatch(cohort) else cohort,
            "metric": metric,
            "rate": rate,
            "window_days": _window(folder, metric, campaign, moment) if window is None else window,
        }
        number = _append(folder, "commitments", values, [person], moment)
    _tell(
        folder,
        "commitments",
        number,
        values,
        as_json=as_json,
        text=f"commitment {number}: {person} commits to {metric} {rate} within"
        f" {values['window_days']} days for {campaign}, cohort of {values['cohort_start_date']}",
    )


def note(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Id of the variance item.")],
    why: Annotated[str, typer.Option("--why", help="Why the KPI missed.")],
    action: Annotated[str, typer.Option("--action", help="What is done about it.")],
    due: Annotated[str, typer.Option("--due", metavar="DATE", help="Until when.")],
    person: _As,
    close: Annotated[bool, typer.Option("--close", help="Declare the item closed.")] = False,
    root: Root = None,
    sources: Sources = None,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Say why a KPI missed its tolerance, what is done and until when."""
    with errors_told():
        folder, moment = plan_root(root, sources), instant(at)
        values = {
            "item": item,
            "why": why,
            "action": action,
            "due_date": due,
            "closes": close,
        }
        number = _append(folder, "notes", values, [person], moment)
    told = "closes" if close else "explains"
    _tell(
        folder,
        "notes",
        number,
        values,
        as_json=as_json,
        text=f"note {number}: {person} {told} {item}; due {due}",
    )


def waive(
    law: Annotated[str, typer.Argument(metavar="LAW", help="Id of the law, such as P2.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands on every report.")],
    expires: Annotated[
        str,
        typer.Option("--expires", metavar="DATE", help="First day on which it no longer holds."),
    ],
    people: Annotated[
        list[str],
        typer.Option("--as", metavar="PERSON", help="Who signs: one of marketing, one of sales."),
    ],
    scope: Annotated[
        str,
        typer.Option("--scope", help="all, or 'column=value; …' of the law's offending rows."),
    ] = "all",
    later: Annotated[
        str | None,
        typer.Option(
            "--then", metavar="PERSON", help="Who signs next, elsewhere: prints what they type."
        ),
    ] = None,
    signed: Annotated[
        list[str] | None,
        typer.Option("--signed", metavar="PERSON:SIGNATURE", help="A signature made elsewhere."),
    ] = None,
    root: Root = None,
    sources: Sources = None,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Waive a law for a time: both departments sign, and every report says so.

    Two people with a machine each: the first signs with `--as ME --then OTHER`, which adds nothing
    and prints the command that the other completes it with.
    """
    from expectations.laws import load_laws

    with errors_told():
        folder, moment = plan_root(root, sources), instant(at)
        values = {"law": law.upper(), "scope": scope, "reason": reason, "expires_on": expires}
        laws = {each.id for each in load_laws().values() if each.waivable}
        known, draft = _people(folder, moment)
        signers = _signers(known, [*people, *([later] if later else [])], later)
        signers |= _given(known, signed or [])
        if later is not None:
            from orchestration.lib.plan.registers import sign_ahead

            made = sign_ahead(folder, "waivers", values, signers, at=moment, draft=draft, laws=laws)
            _tell_next(values, made, later, moment, as_json=as_json)
            return
        from orchestration.lib.plan.registers import append

        number = append(folder, "waivers", values, signers, at=moment, draft=draft, laws=laws)
        people = [person for person, _ in signers.values()]
    _tell(
        folder,
        "waivers",
        number,
        values,
        as_json=as_json,
        text=f"waiver {number}: {' and '.join(people)} waive {law.upper()} ({scope}) until"
        f" {expires}, when it blocks again",
    )


def explain_claim(
    department: Annotated[str, typer.Argument(metavar="DEPARTMENT", help="Who claims.")],
    metric: Annotated[str, typer.Argument(metavar="METRIC", help="What: mqls, pipeline, …")],
    period: Annotated[
        str,
        typer.Argument(
            metavar="PERIOD", help="FY2026-Q1, or first day and first day after it: DATE/DATE."
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Code of the difference.")],
    value: Annotated[
        str, typer.Option("--value", help="Claim less books: count, or money in major units.")
    ],
    words: Annotated[str, typer.Option("--note", help="The difference in words.")],
    person: _As,
    scope: Annotated[str, typer.Option("--scope", help="Scope of the claim.")] = "company",
    root: Root = None,
    sources: Sources = None,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Explain a difference between a department's claim and the books that only people can state.

    Signed by one person of finance or revops, or by who signs for the department that claims.
    """
    with errors_told():
        folder, moment = plan_root(root, sources), instant(at)
        start, end = _period(folder, period, moment)
        values = {
            "department": department,
            "metric": metric,
            "period_start_date": start,
            "period_end_date": end,
            "scope": scope,
            "reason": reason,
            "value": value,
            "note": words,
        }
        number = _append(folder, "explanations", values, [person], moment)
    _tell(
        folder,
        "explanations",
        number,
        values,
        as_json=as_json,
        text=f"explanation {number}: {person} explains {value} of {department}'s {metric},"
        f" {period}, {scope}: {reason}",
    )


# --- Parts ---------------------------------------------------------------------------------------


def _append(
    folder: Path, register: str, values: dict[str, Any], people: list[str], moment: datetime
) -> int:
    from orchestration.lib.plan.registers import append

    known, draft = _people(folder, moment)
    return append(folder, register, values, _signers(known, people), at=moment, draft=draft)


def _people(folder: Path, moment: datetime) -> tuple[People, Plan | None]:
    """Who may sign then, by name; and the draft, where there is no version yet."""
    from orchestration.lib.plan.inspection import inspect
    from orchestration.lib.plan.registers import people_then

    contract = inspect(folder)
    draft = None if contract.versions else draft_of(folder)
    return people_then(contract, draft, _naive(moment)) or {}, draft


def _signers(known: People, people: list[str], later: str | None = None) -> dict[str, Any]:
    """Person and key of each department; no key for who signs `later`."""
    from orchestration.lib.plan.registers import RegisterError

    signers: dict[str, Any] = {}
    for person in people:
        department = str(known[person]["department"]) if person in known else person
        if department in signers:
            raise RegisterError(
                f"found {signers[department][0]} and {person} of {department}, expected one person"
                " of each department"
            )
        signers[department] = (person, None if person == later else key_of(person))
    return signers


def _given(known: People, signed: list[str]) -> dict[str, Any]:
    """Signatures made elsewhere, `PERSON:SIGNATURE`, in the place of keys, by department."""
    from orchestration.lib.plan.keys import GivenSignature
    from orchestration.lib.plan.registers import RegisterError

    given = {}
    for text in signed:
        person, _, signature = text.partition(":")
        if person not in known:
            raise RegisterError(
                f"--signed: found {text!r}, expected PERSON:SIGNATURE with one of"
                f" {', '.join(known)}"
            )
        row = known[person]
        key = GivenSignature(str(row["public_key"]), signature)
        given[str(row["department"])] = (person, key)
    return given


def _tell_next(
    values: dict[str, Any], made: dict[str, str], later: str, moment: datetime, *, as_json: bool
) -> None:
    """What the next signer types, with the plan as it is now."""
    import shlex

    from orchestration.lib.plan.files import told_instant

    command = ["tieout", "waive", values["law"], "--reason", values["reason"]]
    command += ["--expires", values["expires_on"], "--scope", values["scope"]]
    command += ["--at", told_instant(_naive(moment)), "--as", later]
    for person, signature in made.items():
        command += ["--signed", f"{person}:{signature}"]
    if as_json:
        print_json({"signed": made, "next": command})
        return
    typer.echo(
        f"{' and '.join(made)} signed; nothing holds yet. {later} completes it, with the same plan:"
    )
    typer.echo(f"  {shlex.join(command)}")


def _plan(folder: Path, moment: datetime) -> Plan | None:
    """The plan in force then, or the first, or the draft."""
    from orchestration.lib.plan.inspection import inspect
    from orchestration.lib.plan.registers import version_then

    version = version_then(inspect(folder), _naive(moment))
    return draft_of(folder) if version is None else version.plan


def _window(folder: Path, metric: str, campaign: str, moment: datetime) -> Any:
    """The window that the plan gives the rate: the campaign's own, else that of all scopes."""
    from orchestration.lib.plan.registers import RegisterError

    plan = _plan(folder, moment)
    rows = [] if plan is None else [row for row in plan.rows("kpis") if row["metric"] == metric]
    for scope in (f"campaign:{campaign}", "company", None):
        for row in rows:
            if row["scope"] == scope and row["window_days"] is not None:
                return row["window_days"]
    raise RegisterError(
        f"window_days: the plan's sheet kpis gives {metric} no window; say it with --window DAYS"
    )


def _period(folder: Path, period: str, moment: datetime) -> tuple[str, str]:
    """First day of a period, and the first after it."""
    from orchestration.lib.plan.registers import RegisterError

    start, slash, end = period.partition("/")
    if slash:
        return start, end
    plan = _plan(folder, moment)
    known = {} if plan is None else plan.periods
    if period not in known:
        raise RegisterError(
            f"period: found {period!r}, expected a period of the plan's calendar, such as"
            f" {next(iter(known), 'FY2026-Q1')}, or two days: 2026-01-01/2026-04-01"
        )
    return str(known[period].start), str(known[period].end)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _tell(
    folder: Path, register: str, number: int, values: dict[str, Any], *, as_json: bool, text: str
) -> None:
    if as_json:
        told = {
            name: str(each) if isinstance(each, date) else each for name, each in values.items()
        }
        print_json({"register": register, "number": number, **told})
        return
    typer.echo(text)
    typer.echo(
        f"it stands in {shown(folder / register)}.csv, signed; the next `tieout run` counts it"
    )
