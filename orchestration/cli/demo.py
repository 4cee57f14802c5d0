"""`tieout demo`: an invented company whose departments argue, from its plan to its books.

Belongs here: telling the story on a terminal. Does not belong here: its figures
(`orchestration.lib.demo`), the company (`orchestration.lib.sample`), the run.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from orchestration.cli.output import print_json, titled_table
from orchestration.settings import Home

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from orchestration.lib.demo import Story
    from orchestration.lib.explain import Money
    from orchestration.lib.plan.check import Report

_OPENING = {
    "healthy": "One plan that both departments signed, and a company that runs near it.",
    "mirage": "Marketing promises 500 MQLs, Sales $5M of pipeline. Nobody multiplied them out.",
}


def demo(
    story: Annotated[
        Literal["healthy", "mirage"],
        typer.Argument(metavar="STORY", help="healthy or mirage."),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Answer as JSON on standard output.")
    ] = False,
) -> None:
    """Make an invented company and tell its story: the plan, the gate, the books, the bridge.

    mirage: `plan check` refuses the departments' two plans, a waiver lets them through, and the
    books show on which day the plan was disproved and why 500 MQLs are 40 accepted leads. All of it
    is in TIEOUT_HOME/demo/STORY, made anew each time. Exits 0, or as `tieout run` does.
    """
    from orchestration.lib.sample import CompanySpec, generate

    folder = Home.from_environment().root / "demo" / story
    shutil.rmtree(folder / "company", ignore_errors=True)
    spec = CompanySpec.for_scenario(story)
    sources = generate(spec, folder / "company", with_truth=False).sources
    report = _check(folder / "company" / "plan", spec.first_day)
    if not as_json:
        _tell_plan(story, report, folder)
    published = _close_the_books(Home(folder / "home"), sources)
    from orchestration.lib.demo import read_story

    found = read_story(published)
    if as_json:
        answer = {"story": story, "folder": str(folder), "plan": report.as_dict()}
        print_json(answer | found.as_dict())
        return
    _tell_books(found, folder)


def _check(root: Path, day: Any) -> Report:
    """The plan as it was before any spend, without the waiver."""
    from datetime import datetime, time

    from expectations.laws import load_laws
    from orchestration.lib.plan.check import check_plan
    from orchestration.lib.plan.locking import inspect

    laws = [law for law in load_laws().values() if law.id.startswith("P")]
    return check_plan(inspect(root), laws, as_of=datetime.combine(day, time()))


def _close_the_books(home: Home, sources: Path) -> Path:
    """One run; a story that is not published ends the command as the run would."""
    from orchestration.cli.run import Progress, close_once, show
    from orchestration.lib.run import Run

    run = Run(home, sources, listener=Progress())
    code = close_once(run)
    if code != 0:
        show(run)
        raise typer.Exit(code)
    return home.current_database


def _tell_plan(story: str, report: Report, folder: Path) -> None:
    from rich.console import Console

    from orchestration.cli.plan.check import show as show_report

    console = Console(highlight=False)
    console.rule(f"[bold]{story}[/]", align="left")
    console.print(_OPENING[story])
    console.print()
    console.print("[bold]1. Before any spend: tieout plan check[/]")
    show_report(report, console)
    console.print()
    if not report.is_sound:
        console.print(
            "[bold]2. Forced through.[/] Both departments sign a waiver of law P2 until the quarter"
            " after; it stands in plan/waivers.csv, and on everything that is published meanwhile."
        )
        console.print()
    console.print("[bold]Closing the books of the company[/]")


def _tell_books(found: Story, folder: Path) -> None:
    from rich.console import Console

    from orchestration.lib.explain import Money

    console = Console(highlight=False)
    money = Money.of_the_world()
    console.print()
    console.print(_kpis(found, money))
    _tell_alarm(console, found, money)
    console.print(_bridge(found))
    console.print(
        "[dim]Every line stands in rpt_claims_bridge__period and rpt_handoff_bridge__period.[/dim]"
    )
    console.print()
    home = f"TIEOUT_HOME={folder / 'home'}"
    console.print("Look closer:", style="bold")
    for command in ("status", "publications list", "explain P2"):
        console.print(f"  {home} tieout {command}", soft_wrap=True)
    console.print(
        f"  published tables: {folder / 'home/published/current/tieout.duckdb'}", soft_wrap=True
    )


def _kpis(found: Story, money: Money) -> Table:
    table = titled_table(
        f"Plan and actuals of {found.period}", "KPI", "plan", "actual", "activity", "value",
        right=("plan", "actual"),
    )  # fmt: skip
    for line in found.kpis:
        table.add_row(
            line.metric,
            _figure(line.plan, line.unit, found.currency, money),
            _figure(line.actual, line.unit, found.currency, money),
            line.activity_status,
            line.value_status,
        )
    return table


def _figure(value: float | None, unit: str, currency: str, money: Money) -> str:
    if value is None:
        return "–"
    if unit == "minor":
        return money.text(round(value), currency)
    if unit == "rate":
        return f"{100 * value:.1f} %"
    return f"{value:,.1f}".removesuffix(".0")


def _tell_alarm(console: Console, found: Story, money: Money) -> None:
    alarm = found.alarm
    if alarm is None:
        console.print(f"No planned rate was disproved by the data of {found.period}.")
        console.print()
        return
    kept = alarm.budget_minor - alarm.spent_minor
    console.print(
        f"[bold red]Disproved on {alarm.disproved_on}[/]: {alarm.metric} was planned at"
        f" {100 * alarm.planned_rate:.0f} % and is {100 * alarm.actual_rate:.0f} %. After"
        f" {alarm.settled_leads} leads that were decided, data like this had less than 1 chance in"
        f" 100 if the plan were right (rpt_drift__cohort_transition)."
    )
    console.print(
        f"That was {alarm.days_before_the_end} days before the end of {alarm.period}:"
        f" {money.text(alarm.spent_minor, found.currency)} had been spent,"
        f" {money.text(kept, found.currency)} had not."
    )
    console.print()


def _bridge(found: Story) -> Table:
    table = titled_table(
        "From Marketing's number to Sales'", "", "leads",
        right=("leads",),
    )  # fmt: skip
    for line in found.bridge:
        if line.is_total:
            table.add_row(f"[bold]{line.text}[/]", f"[bold]{line.value:,}[/]")
        else:
            table.add_row(f"  {line.text}", f"{line.value:+,}")
    return table
