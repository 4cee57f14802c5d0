"""Writes docs/cli.md from the commands themselves: `python -m orchestration.cli.reference`.

Commands are read as Typer builds them; it brings a Click of its own, so they are told by what they
have and not by their class.

Belongs here: how a command's `--help` becomes a part of a page. Does not belong here: what a
command says of itself; that stands in its docstring and its options. A test keeps the page up to
date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from orchestration.cli import app

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "cli.md"

_INTRODUCTION = """\
# The command line

Every command with all it takes, as `--help` tells it; written by
`python -m orchestration.cli.reference`.

{text}

| command | what it does |
| --- | --- |
"""
#: Said once here, and not by each command.
_EVERYWHERE = {"help"}


def page() -> str:
    """The whole page."""
    root = get_command(app)
    commands = list(_commands(root, root.name or "tieout"))
    text = _text("\n\n".join(filter(None, [root.help, root.epilog])))
    index = "".join(
        f"| [`{path}`](#{path.replace(' ', '-')}) | {_cell(command.get_short_help_str(300))} |\n"
        for path, command in commands
    )
    sections = [_section(path, command) for path, command in commands]
    return _INTRODUCTION.format(text=text) + index + "".join(f"\n{each}" for each in sections)


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, in the order of `--help`."""
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from _commands(below, f"{path} {name}")
    else:
        yield path, command


def _section(path: str, command: Any) -> str:
    context = typer.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    taken = [
        parameter for parameter in command.get_params(context) if parameter.name not in _EVERYWHERE
    ]
    rows = "".join(
        f"| {_named(parameter, context)} | {_cell(_meaning(parameter, context))} |\n"
        for parameter in taken
    )
    table = f"\n| takes | meaning |\n| --- | --- |\n{rows}" if rows else ""
    return f"## `{path}`\n\n{_text(command.help or '')}\n\n```text\n{usage}\n```\n{table}"


def _named(parameter: Any, context: typer.Context) -> str:
    """`--option VALUE`, every spelling; or the argument's name."""
    value = parameter.make_metavar(context)
    if parameter.param_type_name == "argument":
        return f"`{value.strip('[]{}')}`"
    spelt = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    return spelt if parameter.is_flag else f"{spelt} `{value}`".replace("|", r"\|")


def _meaning(parameter: Any, context: typer.Context) -> str:
    """What it means, and what holds where it is left out."""
    said = [str(parameter.help or "").rstrip()]
    is_option = parameter.param_type_name == "option"
    if parameter.required and is_option:
        said.append("Required.")
    record = parameter.get_help_record(context) if is_option else None
    default = re.search(r"\[(?:.*; ?)?default: ([^;\]]*)[^\]]*\]$", record[1]) if record else None
    if default:
        said.append(f"Default: `{default.group(1).strip()}`.")
    if isinstance(parameter.envvar, str):
        said.append(f"Else `{parameter.envvar}` of the environment.")
    return " ".join(filter(None, said))


def _cell(text: str) -> str:
    return _text(" ".join(text.split())).replace("|", r"\|")


def _text(text: str) -> str:
    """A help text as Markdown: paragraphs, code in backticks, everything else as it stands."""
    paragraphs = [" ".join(each.split()) for each in re.split(r"\n\s*\n", text.strip())]
    return "\n\n".join(
        "".join(
            part if part.startswith("`") else re.sub(r"([<*])", r"\\\1", part)
            for part in re.split(r"(`[^`]*`)", paragraph)
        )
        for paragraph in paragraphs
    )


def main() -> int:
    """Writes the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
