"""docs/cli.md is what the commands say of themselves, and no page names a command that is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from orchestration.cli import app, reference
from tests.conventions.tree import relative, under

PAGES = [path for path in under(".", suffix=".md") if path.name != "CHANGELOG.md"]
_FENCE = re.compile(r"(?ms)^```(?:sh|console|text|)\n(.*?)^```$")
_INLINE = re.compile(r"`((?:\.venv/bin/)?tieout [^`]+)`")


def test_the_page_is_up_to_date() -> None:
    """Write it anew with `python -m orchestration.cli.reference`."""
    assert reference.PAGE.read_text("utf-8") == reference.page()


def test_every_command_and_option_is_in_it() -> None:
    page = reference.page()

    def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
        yield path, command
        for name, below in getattr(command, "commands", {}).items():
            yield from commands(below, f"{path} {name}")

    for path, command in commands(get_command(app), "tieout"):
        if hasattr(command, "commands"):
            continue
        section = page.partition(f"## `{path}`\n")[2].partition("\n## ")[0]
        options = {name for each in command.params for name in each.opts if name[0] == "-"}
        assert section and options <= set(re.findall(r"`(--?[\w-]+)`", section)), path


def shown_commands(page: str) -> list[str]:
    """Every `tieout …` of a page, in blocks and in text, on one line each."""
    lines = "\n".join(_FENCE.findall(page)).replace("\\\n", " ").splitlines()
    typed = [re.sub(r"^\$ ", "", line.strip()) for line in lines]
    blocks = [line for line in typed if re.match(r"(?:\.venv/bin/)?tieout [a-z-]", line)]
    return blocks + _INLINE.findall(_FENCE.sub("", page))


def unknown(line: str) -> str | None:
    """What a line names that the command line does not have; None where all is there."""
    typed = re.sub(r"'[^']*'|\"[^\"]*\"", "TEXT", line)
    words = re.split(r"  +| ; | \| |#|…", typed)[0].split()[1:]
    command: Any = get_command(app)
    while words and hasattr(command, "commands"):
        if not re.fullmatch(r"[a-z][a-z-]*", words[0]):
            return None if words[0].startswith("-") else words[0]
        if words[0] not in command.commands:
            return words[0]
        command = command.commands[words.pop(0)]
    known = {name for each in command.params for name in each.opts} | {"--help"}
    named = [word.strip("[],") for word in words if word.startswith(("--", "[--"))]
    return next((each for each in named if each.partition("=")[0] not in known), None)


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_what_a_page_tells_to_type_can_be_typed(path: Path) -> None:
    wrong = [line for line in shown_commands(path.read_text("utf-8")) if unknown(line)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("tieout plan mend plan/draft", "mend"),
        ("tieout run --fast", "--fast"),
        ("tieout walk", "walk"),
        ('tieout note V-1 --why "a" --by x', "--by"),
        (".venv/bin/tieout run --sources x ; echo 1", None),
        ("tieout status [--json]       what is published", None),
    ],
)
def test_what_cannot_be_typed_is_seen(line: str, what: str | None) -> None:
    assert unknown(line) == what
