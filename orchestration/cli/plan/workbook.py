"""`tieout plan template|import|export`: the plan as an Excel workbook, and targets from CSV.

Belongs here: arguments and output. What a workbook holds and what is wrong with one is decided in
`orchestration.lib.plan.workbook` and `targets_file`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.plan.common import shown

if TYPE_CHECKING:
    from orchestration.lib.plan.model import Plan
    from orchestration.lib.plan.targets_file import Draft

#: A column typed wrong down a thousand rows is told by its first cells.
_MOST_PROBLEMS = 50
_CALENDARS = ("months", "4-4-5", "4-5-4", "5-4-4")

_Out = Annotated[
    Path, typer.Argument(metavar="OUT.xlsx", dir_okay=False, help="The workbook to write.")
]
_Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the file if there is one already.")
]
_Company = Annotated[str | None, typer.Option(metavar="NAME", help="Whose plan it is.")]
_Currency = Annotated[
    str | None, typer.Option(metavar="CODE", help="ISO 4217; all money of the plan is in it.")
]
_Year = Annotated[
    int | None, typer.Option(min=1900, max=9000, metavar="YEAR", help="Fiscal year, e.g. 2026.")
]
_Calendar = Annotated[
    str | None, typer.Option(metavar="KIND", help=f"{', '.join(_CALENDARS)}; months by default.")
]
_Starts = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="First day of the fiscal year; 1 January by default."),
]


def template(
    out: _Out,
    company: _Company = None,
    currency: _Currency = None,
    fiscal_year: _Year = None,
    calendar: _Calendar = None,
    starts: _Starts = None,
    overwrite: _Overwrite = False,
) -> None:
    """Write a workbook to fill in: the plan's sheets with notes, drop-downs and formulas.

    Settings hold their defaults and every KPI is listed; people, targets, promises and owners are
    to be filled in. The first sheet says how.
    """
    from orchestration.lib.plan.workbook import template_plan, write_workbook

    _demand_workbook_name(out)
    year = fiscal_year or datetime.now(UTC).year
    draft = _draft(company or "", currency, year, calendar, starts, None, None)
    plan = template_plan(
        company=company,
        currency=draft.currency or None,
        fiscal_year=year,
        calendar=draft.calendar,
        first_day=draft.first_day,
    )
    with _problems_told():
        _demand_free(out, overwrite=overwrite)
        write_workbook(plan, out)
    typer.echo(f"{shown(out)}: a workbook for FY{year}; its first sheet says how to fill it in")
    typer.echo(f"next: fill it in, then `tieout plan import {shown(out)}`")


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, help="A workbook, or targets as .csv."
        ),
    ],
    into: Annotated[
        Path, typer.Option("--into", metavar="FOLDER", help="Where the draft is written.")
    ] = Path("plan/draft"),
    rename: Annotated[
        list[str] | None,
        typer.Option(
            "--rename",
            metavar="OLD=NEW",
            help="CSV: what a column is (period, scope, a metric); OLD=- leaves it out.",
        ),
    ] = None,
    scope: Annotated[
        str | None, typer.Option(metavar="SCOPE", help="CSV: what it plans; company by default.")
    ] = None,
    company: _Company = None,
    currency: _Currency = None,
    fiscal_year: _Year = None,
    calendar: _Calendar = None,
    starts: _Starts = None,
    effective_from: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="CSV: first day the plan counts; that of its year."),
    ] = None,
) -> None:
    """Read a workbook into a draft folder of CSV files, or say by sheet and cell what is wrong.

    A plain .csv of targets becomes a draft too, with only what it says: a column for the period and
    one for each metric. What a plan needs besides is told by the options.
    """
    from orchestration.lib.plan.folder import write_plan
    from orchestration.lib.plan.workbook import read_workbook

    options = {
        "--rename": rename,
        "--scope": scope,
        "--company": company,
        "--currency": currency,
        "--fiscal-year": fiscal_year,
        "--calendar": calendar,
        "--starts": starts,
        "--effective-from": effective_from,
    }
    if file.suffix.lower() == ".csv":
        from orchestration.lib.plan.targets_file import read_targets

        missing = [
            name for name in ("--company", "--currency", "--fiscal-year") if options[name] is None
        ]
        if missing or fiscal_year is None:
            raise typer.BadParameter(
                f"a file of targets does not say it: give {', '.join(missing)}",
                param_hint=missing[0],
            )
        draft = _draft(
            company or "", currency, fiscal_year, calendar, starts, effective_from, scope
        )
        renames = _renames(rename or ())
        with _problems_told():
            plan = read_targets(file, draft, renames)
            write_plan(plan, into)
    else:
        given = [name for name, value in options.items() if value]
        if given:
            raise typer.BadParameter(
                f"{file.name} is a workbook and says this itself; it is for .csv only",
                param_hint=given[0],
            )
        with _problems_told():
            plan = read_workbook(file)
            write_plan(plan, into)
    _tell_written(plan, into)
    typer.echo(f"next: `tieout plan check {shown(into)}`")


def export(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", exists=True, file_okay=False, help="A draft, or a version's folder."
        ),
    ],
    out: _Out,
    overwrite: _Overwrite = False,
) -> None:
    """Write the plan in a folder as a workbook; `tieout plan import` reads it back unchanged."""
    from orchestration.lib.plan.folder import read_plan
    from orchestration.lib.plan.workbook import write_workbook

    _demand_workbook_name(out)
    with _problems_told():
        _demand_free(out, overwrite=overwrite)
        plan = read_plan(folder)
        write_workbook(plan, out)
    _tell_written(plan, out)
    typer.echo(f"next: change it, then `tieout plan import {shown(out)}`")


# --- Parts ---------------------------------------------------------------------------------------


def _draft(
    company: str,
    currency: str | None,
    fiscal_year: int,
    calendar: str | None,
    starts: str | None,
    effective_from: str | None,
    scope: str | None,
) -> Draft:
    """The options as a draft's settings; raises typer.BadParameter for what makes no calendar."""
    from orchestration.lib.plan.model import demand_currency
    from orchestration.lib.plan.targets_file import Draft

    if calendar is not None and calendar not in _CALENDARS:
        raise typer.BadParameter(
            f"found {calendar!r}, expected one of {', '.join(_CALENDARS)}", param_hint="--calendar"
        )
    first_day = _date(starts, "--starts") or date(fiscal_year, 1, 1)
    draft = Draft(
        company=company,
        currency=currency or "",
        fiscal_year=fiscal_year,
        calendar=calendar or "months",
        first_day=first_day,
        effective_from=_date(effective_from, "--effective-from") or first_day,
        scope=scope or "company",
    )
    try:
        if currency is not None:
            demand_currency(currency)
        draft.periods()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return draft


def _date(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"found {text!r}, expected a date such as 2026-01-31", param_hint=option
        ) from error


def _renames(pairs: Iterable[str]) -> dict[str, str]:
    renames: dict[str, str] = {}
    for pair in pairs:
        old, separator, new = (part.strip() for part in pair.partition("="))
        if not (separator and old and new) or old in renames:
            raise typer.BadParameter(
                f"found {pair!r}, expected each column once as OLD=NEW", param_hint="--rename"
            )
        renames[old] = new
    return renames


def _demand_workbook_name(out: Path) -> None:
    if out.suffix.lower() != ".xlsx":
        raise typer.BadParameter(f"found {out.name}, expected a name that ends in .xlsx")


def _demand_free(out: Path, *, overwrite: bool) -> None:
    """A workbook that somebody has filled in is not lost by a command repeated."""
    from orchestration.lib.plan.model import PlanError, Problem

    if out.exists() and not overwrite:
        raise PlanError(
            [Problem(shown(out), "found a file, expected none; --overwrite replaces it")]
        )


@contextmanager
def _problems_told() -> Iterator[None]:
    """What is wrong with a plan ends the command with 1, a line for each problem."""
    from orchestration.lib.plan.model import PlanError

    try:
        yield
    except PlanError as error:
        for problem in error.problems[:_MOST_PROBLEMS]:
            typer.echo(str(problem), err=True)
        if len(error.problems) > _MOST_PROBLEMS:
            typer.echo(f"… and {len(error.problems) - _MOST_PROBLEMS} more", err=True)
        raise typer.Exit(1) from error
    except OSError as error:
        typer.echo(f"error: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(1) from error


def _tell_written(plan: Plan, place: Path) -> None:
    rows = ", ".join(f"{name} {len(found)}" for name, found in plan.sheets.items() if found)
    typer.echo(f"{shown(place)}: {plan.settings['title']} (rows: {rows})")
