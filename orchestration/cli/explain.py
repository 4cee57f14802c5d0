"""`tieout explain LAW`: what a law means, what it found, whose move it is and what to do.

Belongs here: arguments and output. Does not belong here: reading the verdict
(`orchestration.lib.explain`), the laws (`expectations.laws`).
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.settings import Home

if TYPE_CHECKING:
    from rich.console import Console

    from orchestration.lib.explain import Explanation, Money

_STYLES = {
    "held": "bold green",
    "waived": "bold yellow",
    "broken": "bold red",
    "error": "bold red",
    "not applicable": "dim",
}


def explain(
    law: Annotated[str, typer.Argument(metavar="LAW", help="Id of a law, such as B2.")],
    rows: Annotated[
        int, typer.Option("--rows", min=0, max=200, help="Offending rows to show of each kind.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON, with all rows.")] = False,
) -> None:
    """Explain a law: meaning, expected, actual, offending rows, whose move, what to do.

    Reads the last verdict of TIEOUT_HOME. Exits 2, with the list of laws, for an unknown law.
    """
    from expectations.laws import load_laws
    from orchestration.lib.explain import ExplainError
    from orchestration.lib.explain import explain as explain_law

    laws = load_laws()
    found = laws.get(law.upper())
    if found is None:
        lines = [f"error: there is no law {law!r}; the laws are"]
        lines += [f"  {known.id:<4} {known.title}" for known in laws.values()]
        typer.echo("\n".join(lines), err=True)
        raise typer.Exit(2)
    try:
        explanation = explain_law(Home.from_environment(), found)
    except ExplainError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(explanation.as_dict(), indent=1, ensure_ascii=False))
        return
    from rich.console import Console

    from orchestration.lib.explain import Money

    show(Console(highlight=False), explanation, Money.of_the_world(), rows)


def show(console: Console, explanation: Explanation, money: Money, rows: int) -> None:
    """Prints the explanation for people, at most `rows` offending rows of each kind."""
    from rich.markup import escape

    console.print(f"[bold]{explanation.law}: {escape(explanation.title)}[/bold]")
    console.print(escape(explanation.meaning))
    console.print()
    result = explanation.result
    if result is None:
        console.print("Not judged yet: `tieout run` closes the books and judges them.")
        return
    figures = [("status", _status(explanation, result)), *_figures(result, money)]
    for name, text in figures:
        console.print(f"{name:<12}{text}")
    for note in explanation.notes:
        if f": {explanation.law}:" in note:
            console.print(f"{'note':<12}{escape(note)}")
    _show_rows(console, explanation, result, money, rows)
    if result["status"] in ("broken", "error") or result["offending_count"]:
        console.print()
        console.print(f"[bold]Whose move[/bold]  {escape(explanation.owner)}")
        console.print(f"[bold]What to do[/bold]  {escape(explanation.what_to_do)}")


def _status(explanation: Explanation, result: dict[str, Any]) -> str:
    from rich.markup import escape

    status = str(result["status"])
    text = f"[{_STYLES[status]}]{status}[/]"
    if result["reason"]:
        text += f": {escape(str(result['reason']))}"
    if status in ("broken", "error") and explanation.severity == "warn" and status != "error":
        text += " (warns, does not block)"
    when = f"as of {explanation.as_of}" if explanation.as_of else "as of an unknown time"
    published = (
        f"publication {explanation.publication}"
        if explanation.publication is not None
        else "not published"
    )
    return f"{text}\n{'judged':<12}{when}, {published}"


def _figures(result: dict[str, Any], money: Money) -> list[tuple[str, str]]:
    """Expected, actual and difference, then what was checked and forgiven."""
    figures = []
    for name in ("expected", "actual", "difference"):
        value = result[name]
        if value is not None:
            is_money = result["unit"] == "minor"
            text = money.text(value, result["currency"]) if is_money else f"{value:,} rows"
            figures.append((name, text))
    if figures and result["unit"] == "minor" and result["currency"] is None:
        figures.append(("", "(a hash total over several currencies: for comparing only)"))
    if result["checked"] is not None:
        figures.append(("checked", f"{result['checked']:,} rows"))
    if result["tolerated"]:
        figures.append(("tolerated", f"{result['tolerated']:,} rows, as declared in sources.yml"))
    if result.get("waived"):
        figures.append(("waived", f"{result['waived']:,} rows, by both departments"))
    return figures


def _show_rows(
    console: Console,
    explanation: Explanation,
    result: dict[str, Any],
    money: Money,
    at_most: int,
) -> None:
    """One table for each problem, with the columns that say something about it."""
    offending = sorted(result["offending_rows"], key=lambda row: str(row.get("problem")))
    shown = 0
    for problem, group in groupby(offending, key=lambda row: str(row.get("problem"))):
        kept = list(group)[:at_most]
        shown += len(kept)
        if kept:
            _show_table(console, explanation, problem, kept, money)
    hidden = result["offending_count"] - shown
    if hidden:
        carried = len(result["offending_rows"])
        more = f"`--json` has {carried:,} of {result['offending_count']:,}"
        console.print(f"… and {hidden:,} rows more ({more}; `--rows` shows more of them)")


def _show_table(
    console: Console,
    explanation: Explanation,
    problem: str,
    rows: list[dict[str, Any]],
    money: Money,
) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    columns = [
        name for name in rows[0] if name != "problem" and any(row[name] is not None for row in rows)
    ]
    has_currency = "currency" in columns
    table = Table(
        title=escape(problem), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    for name in columns:
        is_figure = any(isinstance(row[name], int) for row in rows)
        table.add_column(
            _heading(name, None if has_currency else explanation.currency),
            justify="right" if is_figure else "left",
            overflow="fold",
        )
    for row in rows:
        currency = row["currency"] if has_currency else explanation.currency
        table.add_row(*(escape(_cell(name, row[name], currency, money)) for name in columns))
    console.print()
    console.print(table)


def _heading(name: str, currency: str | None) -> str:
    if name.endswith("_minor"):
        plain = name.removesuffix("_minor").replace("_", " ")
        return f"{plain} {currency}" if currency else plain
    return name.replace("_", " ")


def _cell(name: str, value: Any, currency: str | None, money: Money) -> str:
    if value is None:
        return "–"
    if name.endswith("_minor") and isinstance(value, int):
        return money.amount(value, currency)
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    return f"{value:,}" if name in ("rows", "days") or name.endswith("_rows") else str(value)
