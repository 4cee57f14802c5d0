"""What commands share on a terminal: JSON, plain columns, tables, and instants that people type.

Belongs here: forms that more than one command uses. Nothing heavy is imported at the top. Does not
belong here: what a command has to say.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table


def parse_instant(text: str, option: str) -> datetime:
    """An instant; a day stands for its first moment, and no zone for UTC.

    Raises typer.BadParameter, naming `option`.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"found {text!r}, expected an instant in ISO 8601 such as 2026-03-31T23:00:00Z",
            param_hint=option,
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def print_json(value: Any) -> None:
    """JSON for a program."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, default=str))


def print_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Columns as wide as they must be."""
    widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    for row in [heads, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def titled_table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table with a title of its own; the columns in `right` hold figures."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table
