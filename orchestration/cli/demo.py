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
    "quality-trap": (
        "One plan that both departments signed. Leads run at 120 % of it, Sales qualifies 30 %"
        " fewer of them, and each department looks at its own number."
    ),
}
#: The law whose explanation belongs to the story.
_LOOK_AT = {"healthy": "B2", "mirage": "P2", "quality-trap": "G2"}
#: Days between two lines of a story told day by day.
_STRIDE = 7


def demo(
    story: Annotated[
        Literal["healthy", "mirage", "quality-trap"],
        typer.Argument(metavar="STORY", help="healthy, mirage or quality-trap."),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Answer as JSON on standard output.")
    ] = False,
) -> None:
    """Make an invented company and tell its story: the plan, the gate, the books, the bridge.

    mirage: `plan check` refuses the departments' two plans, a waiver lets them through, and the
    books show on which day the plan was disproved and why 500 MQLs are 40 accepted leads.

    quality-trap: the leads are better than planned, what becomes of them is not, and day by day
    the books show when that could be known: the first hour of the alarm, the dollars not yet
    spent, and what the report at the end of the quarter would have found.

    All of it is in TIEOUT_HOME/demo/STORY, made anew each time. Exits 0, or as `tieout run` does.
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
    _tell_books(story, found, folder)


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


def _tell_books(story: str, found: Story, folder: Path) -> None:
    from rich.console import Console

    from orchestration.lib.explain import Money

    console = Console(highlight=False)
    money = Money.of_the_world()
    console.print()
    if story == "quality-trap":
        console.print(_day_by_day(found, money))
        _tell_alarm(console, found, money)
        console.print(_kpis(found, money))
        _tell_the_report(console, found, money)
    else:
        console.print(_kpis(found, money))
        _tell_alarm(console, found, money)
        console.print(_bridge(found))
        console.print(
            "[dim]Every line stands in rpt_claims_bridge__period and"
            " rpt_handoff_bridge__period.[/dim]"
        )
        console.print()
    home = f"TIEOUT_HOME={folder / 'home'}"
    console.print("Look closer:", style="bold")
    for command in ("status", "publications list", f"explain {_LOOK_AT[story]}"):
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
        f"[bold red]Disproved on {alarm.disproved_on}[/] (first seen at"
        f" {alarm.first_hour:%Y-%m-%d %H:%M} UTC): {alarm.metric} was planned at"
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


def _day_by_day(found: Story, money: Money) -> Table:
    """Every seventh day of the alarm's period, the day of the alarm and the last one."""
    alarm = found.alarm
    planned = next((line.plan for line in found.kpis if line.metric == "leads"), 0)
    table = titled_table(
        f"{found.period} day by day" + ("" if alarm is None else f": leads, and {alarm.metric}"),
        "end of", "leads", "of planned", "entered", "decided", "went on", "rate", "spent", "",
        right=("leads", "of planned", "entered", "decided", "went on", "rate", "spent"),
    )  # fmt: skip
    for number, day in enumerate(found.days, start=1):
        is_alarm = alarm is not None and day.day == alarm.disproved_on
        if number % _STRIDE and not is_alarm and number != len(found.days):
            continue
        cells = (
            f"{day.day}",
            f"{day.leads:,}",
            f"{100 * day.leads / planned:.0f} %" if planned else "–",
            f"{day.entered:,}",
            f"{day.decided:,}",
            f"{day.converted:,}",
            f"{100 * day.converted / day.decided:.0f} %" if day.decided else "–",
            money.text(day.spent_minor, found.currency),
            "← alarm" if is_alarm else "",
        )
        table.add_row(*(f"[bold red]{cell}[/]" if is_alarm else cell for cell in cells))
    return table


def _tell_the_report(console: Console, found: Story, money: Money) -> None:
    """What the report at the quarter's end found, and how late."""
    cost, alarm = found.cost_per_win, found.alarm
    if alarm is None or cost.planned_minor is None or cost.actual_minor is None:
        return
    console.print(
        f"[bold]The report at the end of {found.period}[/] finds it on {alarm.period_end}: a win"
        f" costs {money.text(cost.actual_minor, found.currency)} instead of"
        f" {money.text(cost.planned_minor, found.currency)}. The alarm was"
        f" {alarm.days_before_the_end} days earlier."
    )
    console.print("[dim]Every figure stands in rpt_plan_vs_actual__kpi_period.[/dim]")
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
