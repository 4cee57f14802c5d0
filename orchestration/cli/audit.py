"""`tieout audit`: what lies behind an alarm, lead by lead.

Belongs here: arguments and output. Does not belong here: alarms and packs
(`orchestration.lib.audit`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.output import print_json
from orchestration.settings import Home

if TYPE_CHECKING:
    from orchestration.lib.audit.alarms import Alarm
    from orchestration.lib.audit.pack import Pack

app = typer.Typer(no_args_is_help=True, help="What lies behind an alarm, lead by lead.")


@app.callback()
def _audit() -> None:
    """What lies behind an alarm, lead by lead."""


@app.command()
def handoff(
    alarm: Annotated[
        str | None, typer.Argument(metavar="[ALARM]", help="Key of an alarm, such as A-4d8605ab89.")
    ] = None,
    scope: Annotated[
        str | None, typer.Option("--scope", help="Only of this scope, such as channel:paid_social.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="Only of this rate, such as rate_mql_sal.")
    ] = None,
    period: Annotated[
        str | None, typer.Option("--period", help="Only of this period, such as FY2026-Q2.")
    ] = None,
    number: Annotated[
        int | None, typer.Option("--publication", metavar="N", help="As publication N has it.")
    ] = None,
    only_list: Annotated[bool, typer.Option("--list", help="List alarms, make no pack.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """List the alarms on velocity and handoffs, and make the audit pack of each.

    A pack is a folder below TIEOUT_HOME/reports/audit: open index.html in a browser; the CSV files
    beside it hold every lead's trail, reasons, owners on both sides and dollars by stage. It is
    made from what is published; the same alarm of the same publication gives the same bytes.
    Without a name or an option: of all standing alarms. A run makes the packs of new alarms by
    itself.

    Exits 0, also when no alarm stands; 1 when nothing is published; 2 for an unknown alarm.
    """
    from orchestration.lib.audit.pack import make_packs, standing_alarms
    from orchestration.lib.release.errors import ReleaseError

    home = Home.from_environment()
    try:
        chosen = number if number is not None else _current(home)
        standing = standing_alarms(home, chosen)
        alarms = [
            each
            for each in standing
            if (alarm is None or each.key == alarm)
            and (scope is None or each.scope == scope)
            and (metric is None or each.metric == metric)
            and (period is None or each.period == period)
        ]
        if alarm is not None and not alarms:
            typer.echo(
                f"error: publication {chosen} has no alarm {alarm}; its alarms are", err=True
            )
            typer.echo("\n".join(f"  {_words(each)}" for each in standing) or "  none", err=True)
            raise typer.Exit(2)
        keys = [] if only_list else [each.key for each in alarms]
        packs = {pack.alarm.key: pack for pack in make_packs(home, chosen, keys)} if keys else {}
    except ReleaseError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        print_json([packs[each.key].as_dict() if keys else each.as_dict() for each in alarms])
        return
    _show(chosen, alarms, packs, len(standing))


def _current(home: Home) -> int:
    from orchestration.lib.release.errors import ReleaseError
    from orchestration.lib.release.folders import current_number

    number = current_number(home)
    if number is None:
        raise ReleaseError(
            "nothing is published yet",
            why="an audit is made from what readers see",
            next_step="`tieout status` says what stopped the last run; `tieout run` tries again",
        )
    return number


def _words(alarm: Alarm) -> str:
    from orchestration.lib.audit.page import what

    return f"{alarm.key}  {what(alarm)}"


def _show(number: int, alarms: list[Alarm], packs: dict[str, Pack], standing: int) -> None:
    from orchestration.lib.audit.page import shown_rate
    from orchestration.lib.explain import Money

    if not alarms:
        more = f" that fits; {standing} others stand" if standing else ""
        typer.echo(f"No alarm stands in publication {number}{more}.")
        return
    money = Money.of_the_world()
    for alarm in alarms:
        move = ", ".join(name for name in (alarm.owner, alarm.item_id) if name)
        lines = [
            _words(alarm),
            f"planned {shown_rate(alarm, alarm.expected, money)}, is"
            f" {shown_rate(alarm, alarm.actual, money)}, since"
            f" {alarm.alarmed_at:%Y-%m-%d %H:%M} UTC",
            f"not yet burnt then: {money.text(alarm.not_yet_burnt_minor, alarm.currency)};"
            f" whose move: {move or 'nobody is named'}",
        ]
        if (pack := packs.get(alarm.key)) is not None:
            lines.append(f"{'made' if pack.is_new else 'there already'}: {pack.page}")
        typer.echo("\n              ".join(lines))
