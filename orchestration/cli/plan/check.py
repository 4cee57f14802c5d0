"""`tieout plan check`: a plan's arithmetic step by step, then every law of the plan on it.

Belongs here: arguments and output. Does not belong here: the arithmetic and the judging
(`orchestration.lib.plan.check`), the laws (`expectations`).
"""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from orchestration.cli.output import print_json
from orchestration.cli.plan.common import (
    At,
    Json,
    Sources,
    draft_of,
    errors_told,
    instant,
    plan_root,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from orchestration.lib.plan.arithmetic import Step
    from orchestration.lib.plan.check import Funnel, Offence, Promise, Report, Result
    from orchestration.lib.plan.contract import Contract
    from orchestration.lib.plan.model import Plan
    from orchestration.lib.plan.registers import Register

_BLOCKED = 3
#: Offending rows of one law that are shown; `--json` has all.
_MOST_ROWS = 20
#: Rows of targets that are shown step by step.
_MOST_FUNNELS = 4
#: What people call the volumes; the sheets have the short names.
_NAMES = {
    "leads": "leads",
    "mqls": "MQLs",
    "sals": "accepted leads",
    "sqls": "SQLs",
    "opportunities": "opportunities",
    "pipeline": "pipeline",
    "wins": "wins",
    "bookings": "bookings",
}
_FACTORS = {
    "mqls": "MQLs",
    "rate_mql_sal": "MQL to accepted",
    "rate_sal_sql": "accepted to SQL",
    "rate_sql_opportunity": "SQL to opportunity",
    "acv": "deal size",
}
_MONEY = ("pipeline", "bookings")
#: The columns of an offending row that are figures, and what they are called.
_FIGURES = {"expected": "expected", "actual": "found", "difference": "difference"}
_STYLES = {"held": "green", "broken": "bold red", "waived": "yellow", "not applicable": "dim"}


def check(
    plan: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]",
            exists=True,
            help="A draft's folder, a workbook, or the plan's root, whose locked versions are"
            " checked; else company.plan of the sources.yml, else ./plan.",
        ),
    ] = None,
    sources: Sources = None,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Show what a plan multiplies out to, step by step, and hold it against the laws of plans.

    Exits 3 where a law is broken that no waiver covers, 1 where the plan cannot be read.
    """
    with errors_told():
        report = _checked(plan_root(None, sources) if plan is None else plan, sources, instant(at))
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)
    if not report.is_sound:
        raise typer.Exit(_BLOCKED)


def _checked(path: Path, sources: Path | None, moment: datetime) -> Report:
    """The report on a workbook, a draft's folder or a root."""
    from expectations.laws import load_laws
    from expectations.waiver import Waiver, covers
    from orchestration.lib.plan.check import check_plan
    from orchestration.lib.sources.config import load_sources

    company = None if sources is None else load_sources(sources).company
    time_zone = "UTC" if company is None else company.time_zone
    given, registers = _given(path, moment.astimezone(ZoneInfo(time_zone)))
    return check_plan(
        given,
        [law for law in load_laws().values() if law.id.startswith("P")],
        registers=registers,
        as_of=moment.astimezone(UTC).replace(tzinfo=None),
        time_zone=time_zone,
        reporting_currency=None if company is None else company.reporting_currency,
        covering=lambda rows: covers(Waiver(**row) for row in rows),
    )


def _given(path: Path, local: datetime) -> tuple[Plan | Contract, dict[str, Register]]:
    """What is to be checked, and what people have added to the plan it belongs to."""
    from orchestration.lib.plan.folder import file_name, read_plan, versions
    from orchestration.lib.plan.inspection import inspect
    from orchestration.lib.plan.model import PlanError, Problem
    from orchestration.lib.plan.registers import read_registers

    if path.is_file():
        from orchestration.lib.plan.workbook import read_workbook

        return read_workbook(path), {}
    if (path / file_name("plan")).exists():
        plan, root = read_plan(path), path.parent
        return plan, _waivers(root, plan, local)
    if versions(path):
        contract = inspect(path, as_of=local.date())
        return contract, read_registers(path, contract)
    draft = draft_of(path)
    if draft is None:
        raise PlanError(
            [
                Problem(
                    str(path),
                    f"found no {file_name('plan')}, no v1 and no draft, expected a plan; `tieout"
                    " plan template` makes one to fill in",
                )
            ]
        )
    return draft, _waivers(path, draft, local)


def _waivers(root: Path, plan: Plan, local: datetime) -> dict[str, Register]:
    """The waivers that were given beside a draft."""
    from orchestration.lib.plan.inspection import inspect
    from orchestration.lib.plan.registers import read_register

    contract = inspect(root, as_of=local.date())
    return {"waivers": read_register(root, "waivers", contract, draft=plan)}


# --- Output --------------------------------------------------------------------------------------


def show(report: Report, console: Console | None = None) -> None:
    """Print the report for people."""
    from rich.console import Console
    from rich.markup import escape

    to = console or Console(highlight=False)
    what = "draft" if report.is_draft else _numbered(report.versions)
    to.print(f"[bold]{escape(report.title)}[/bold]  [dim]{what}[/dim]")
    shown, sound, more = _chosen(report.funnels)
    for funnel in shown:
        _show_funnel(to, report, funnel)
    for told, funnels in (("One plan each", sound), ("Not shown, `--json` has all", more)):
        if funnels:
            names = ", ".join(f"{funnel.period} {funnel.scope}" for funnel in funnels)
            to.print()
            to.print(f"{told}: {escape(names)}.")
    to.print()
    _show_laws(to, report)


def _chosen(funnels: tuple[Funnel, ...]) -> tuple[list[Funnel], list[Funnel], list[Funnel]]:
    """What is shown step by step, what is sound and only named, and what there is no room for.

    Shown are the longest periods of the top scope and whatever does not multiply out, the latter
    first where there are many.
    """
    wanted = [each for each in funnels if each.is_longest or not each.is_sound]
    ranked = sorted(wanted, key=lambda each: each.is_sound)[:_MOST_FUNNELS]
    shown = [each for each in funnels if each in ranked]
    rest = [each for each in funnels if each not in ranked]
    return (
        shown,
        [each for each in rest if each.is_sound],
        [each for each in rest if not each.is_sound],
    )


def _numbered(versions: tuple[int, ...]) -> str:
    if not versions:
        return "no version that can be read"
    return f"version{'s' if len(versions) > 1 else ''} {', '.join(map(str, versions))}"


def _show_funnel(console: Console, report: Report, funnel: Funnel) -> None:
    from rich.markup import escape

    version = f"version {funnel.version}, " if len(report.versions) > 1 else ""
    row = "no row of targets" if funnel.sheet_row is None else f"targets, row {funnel.sheet_row}"
    console.print()
    console.print(
        f"[bold]{escape(funnel.period)} · {escape(funnel.scope)}[/bold]"
        f"  [dim]{version}{row}, money in {escape(funnel.currency)}[/dim]"
    )
    steps = [step for step in funnel.steps if step.expected is not None or step.stated is not None]
    if steps:
        console.print(_steps(funnel, steps))
    for promise in funnel.promises:
        _show_promise(console, promise, funnel.currency)


def _steps(funnel: Funnel, steps: list[Step]) -> Table:
    from rich.text import Text

    table = _table()
    table.add_column("")
    table.add_column("calculation", ratio=1, overflow="fold")
    table.add_column("gives", justify="right", no_wrap=True)
    table.add_column("plan says", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for step in steps:
        problem = funnel.problems.get(step.metric)
        if problem is not None:
            mark = Text("✗", "bold red")
        else:
            mark = Text("✓", "green") if step.is_checked else Text("")
        table.add_row(
            _NAMES[step.metric],
            Text(_calculation(step), "red" if problem is not None else ""),
            _number(step.expected),
            Text(_number(step.stated), "bold red" if problem is not None else ""),
            mark,
        )
    return table


def _calculation(step: Step) -> str:
    """`500 MQLs × 40 %`, or which rates are missing and what they would have to be."""
    if step.lacking:
        missing = f"no {' and no '.join(step.lacking)}"
        if step.implied is None:
            return missing
        implied = _factor(step.lacking[0] if len(step.lacking) == 1 else "rate", step.implied)
        return f"{missing}; the volumes imply {implied}"
    if step.start is None or step.rate is None:
        return "–"
    if step.is_division:
        return f"{_number(step.start)} ÷ {_number(step.rate)} a lead"
    name = _NAMES[step.origin]
    return f"{_number(step.start)} {name} × {_factor(step.factor, step.rate)}"


def _show_promise(console: Console, promise: Promise, currency: str) -> None:
    """What both sides promise, what it multiplies out to, and what would close the gap."""
    console.print(
        _indented(
            f"{promise.mqls_by.capitalize()} promises [bold]{_number(promise.mqls)} MQLs[/bold],"
            f" {promise.pipeline_by} promises"
            f" [bold]{_number(promise.pipeline)} {currency}[/bold] of pipeline."
        )
    )
    start = f"{_number(promise.mqls)} MQLs"
    for step in promise.steps:
        if step.expected is None:
            console.print(f"    {start} × [red]? (no {step.factor} in this row of targets)[/red]")
            return
        unit = f" {currency}" if step.metric in _MONEY else ""
        console.print(
            f"    {start} × {_factor(step.factor, step.rate)} = "
            f"[bold]{_number(step.expected)}{unit}[/bold] {_of(step.metric)}"
        )
        start = " " * len(start)
    gap = promise.gap
    if gap is None:
        return
    if promise.is_one_plan:
        rest = f", {_number(abs(gap))} {currency} apart, within the tolerance" if gap else ""
        console.print(f"  [green]One plan[/green]{rest}.")
        return
    share = f" ({_percent(abs(gap) / promise.pipeline)} of the promise)" if promise.pipeline else ""
    more_or_less = "above" if gap > 0 else "below"
    console.print(
        _indented(
            f"[bold red]Two plans[/bold red]: the promise is [bold]{_number(abs(gap))} {currency}"
            f"[/bold] {more_or_less} what the MQLs come to{share}."
        )
    )
    if promise.remedies:
        console.print("  Any one of these would close it, all else as it is:")
    for remedy in promise.remedies:
        now, needed = (_factor(remedy.metric, each) for each in (remedy.now, remedy.needed))
        told = f"{needed} instead of {now}"
        if not remedy.is_possible:
            told = f"[dim]{told}: impossible[/dim]"
        console.print(f"    {_FACTORS[remedy.metric]:<20}{told}")


def _indented(text: str) -> Padding:
    from rich.padding import Padding

    return Padding(text, (0, 0, 0, 2))


def _of(metric: str) -> str:
    return f"of {metric}" if metric in _MONEY else _NAMES[metric]


def _show_laws(console: Console, report: Report) -> None:
    """A line for each law, then the rows of those that do not hold, then the verdict."""
    from rich.markup import escape

    overview = _grid()
    for result in report.results:
        reason = f" [dim]({escape(result.reason)})[/dim]" if result.reason else ""
        overview.add_row(
            f"[bold]{result.law}[/bold]",
            f"[{_STYLES[result.status]}]{result.status}[/]",
            f"{escape(result.title)}{reason}",
        )
    console.print(overview)
    for result in report.results:
        if not result.offences:
            continue
        console.print()
        console.print(f"[bold]{result.law} {result.status}: {escape(result.title)}[/bold]")
        _show_offences(console, result)
        moves = _grid()
        moves.add_row("[bold]Whose move[/bold]", escape(result.owner))
        if result.status == "broken":
            moves.add_row("[bold]What to do[/bold]", escape(result.what_to_do))
        console.print(moves)
    counts: dict[str, list[str]] = {}
    for result in report.results:
        counts.setdefault(result.status, []).append(result.law)
    told = [f"{' '.join(laws)} {status}" for status, laws in counts.items()]
    verdict = "[green]sound[/green]" if report.is_sound else "[bold red]not sound[/bold red]"
    console.print()
    console.print(f"The plan is {verdict}: {'; '.join(told)}.")


def _grid() -> Table:
    """Columns without lines, of which the last one wraps within itself."""
    from rich.table import Table

    return Table.grid(padding=(0, 2))


def _show_offences(console: Console, result: Result) -> None:
    from rich.text import Text

    shown = result.offences[:_MOST_ROWS]
    # Figures stand in columns where they leave room for words; hashes and sentences do not.
    widths = [max(len(_figure(offence.values.get(name))) for offence in shown) for name in _FIGURES]
    is_text = sum(widths) + 3 * len(widths) > console.width // 2
    figures = [
        (name, heading)
        for name, heading in _FIGURES.items()
        if not is_text and any(offence.values.get(name) is not None for offence in shown)
    ]
    table = _table()
    table.add_column("where", max_width=30, overflow="fold")
    table.add_column("what", ratio=1, min_width=24, overflow="fold")
    for _, heading in figures:
        table.add_column(heading, justify="right", overflow="fold")
    for offence in shown:
        values = offence.values
        what = Text(str(values["problem"]))
        if details := _details(values):
            what.append(f"\n{details}", "dim")
        for name, heading in _FIGURES.items() if is_text else ():
            if values.get(name) is not None:
                what.append(f"\n{heading} {_figure(values[name])}", "dim")
        table.add_row(
            _where(offence),
            what,
            *(_figure(values.get(name)) for name, _ in figures),
            style="dim" if offence.is_waived else "",
        )
    console.print(table)
    hidden = len(result.offences) - _MOST_ROWS
    if hidden > 0:
        console.print(f"    … and {hidden:,} rows more (`--json` has all)")


def _where(offence: Offence) -> Text:
    """The cell of the workbook, which is also the line of the sheet's file, and what it is about.

    What is about no single cell is about a sheet or a file.
    """
    from rich.text import Text

    place = offence.place
    where = Text(place.cell or (place.sheet if place.row is None else str(place)))
    for name in ("period", "scope"):
        if offence.values.get(name):
            where.append(f"\n{offence.values[name]}", "dim")
    return where


def _details(values: Mapping[str, Any]) -> str:
    """The metric and how its figures were multiplied; which parts state nothing."""
    told = [str(values[name]) for name in ("metric", "setting") if values.get(name)]
    if values.get("arithmetic"):
        told.append(_grouped(str(values["arithmetic"])))
    lines = [": ".join(told)] if told else []
    if values.get("parts_without_figure"):
        lines.append(f"states nothing: {values['parts_without_figure']}")
    return "\n".join(lines)


def _table() -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=True)


# --- Figures -------------------------------------------------------------------------------------


def _number(value: Fraction | None) -> str:
    """With separators; two digits after the point at most, none from 10,000; `–` for nothing."""
    from orchestration.lib.plan.check import decimal_text

    is_large = value is not None and abs(value) >= 10_000
    text = decimal_text(value, digits=0 if is_large else 2)
    return "–" if text is None else f"{Decimal(text):,f}"


def _percent(value: Fraction) -> str:
    return f"{_number(value * 100)} %"


def _factor(metric: str, value: Fraction | None) -> str:
    """A rate as a percentage, anything else as a number."""
    if value is None:
        return "?"
    return _percent(value) if metric.startswith("rate") else _number(value)


def _figure(value: Any) -> str:
    """A figure of a law's row with separators; any other text as it is."""
    if value is None:
        return ""
    try:
        return f"{Decimal(str(value)):,f}"
    except InvalidOperation:
        return str(value)


def _grouped(text: str) -> str:
    """The figures within a text with separators."""
    return " ".join(_figure(word) for word in text.split(" "))
