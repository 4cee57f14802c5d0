"""Follows a page as a reader would: `python scripts/follow.py docs/tutorial.md`.

Runs the page's `sh` blocks in order, in one shell, from the repository's folder (or `--in FOLDER`),
and stops at the first command that fails. A `text` block after one is what the reader is told to
see: each of its lines must be printed, in that order. Blanks do not count; `…` stands for anything,
alone on a line for any number of lines. `COMMAND ; echo "exit code $?"` is a command that may fail;
what is shown says how. Only the standard library.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
_FENCE = re.compile(r"(?ms)^```(?P<kind>\w+)[^\n]*\n(?P<body>.*?)^```$")
_MAY_FAIL = re.compile(r'(?m)^(?P<command>.*\S) *; echo "exit code \$\?"$')


@dataclass(frozen=True)
class Step:
    """A block of commands, the line it begins in, and what it must print."""

    line: int
    commands: str
    shown: tuple[str, ...]


class NotAsShown(Exception):
    """A command failed, or printed something else than the page shows."""

    def __init__(self, step: Step, fault: str, printed: str) -> None:
        super().__init__(f"line {step.line}: {fault}\n{step.commands}{printed}")


def steps(page: str) -> list[Step]:
    """The page's commands, each block with the text block that follows it."""
    blocks = list(_FENCE.finditer(page))
    found = []
    for block, after in zip(blocks, [*blocks[1:], None], strict=True):
        if block["kind"] != "sh":
            continue
        is_shown = after is not None and after["kind"] == "text"
        shown = after["body"].splitlines() if after is not None and is_shown else []
        line = page.count("\n", 0, block.start()) + 1
        found.append(Step(line, block["body"], tuple(each for each in shown if each.strip())))
    return found


def follow(page: str, folder: Path, environment: dict[str, str]) -> list[tuple[Step, str]]:
    """Runs a page's commands; every step with what it printed. Raises `NotAsShown`."""
    todo = steps(page)
    for step in todo:
        if _MAY_FAIL.search(step.commands) and "exit code " not in "\n".join(step.shown):
            raise NotAsShown(step, "the page does not show which exit code is expected", "")
    mark = f"step {os.urandom(8).hex()}"
    script = "\n".join(f"echo '{mark}'\n{_forgiving(step.commands)}" for step in todo)
    done = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    told = list(zip(todo, done.stdout.split(f"{mark}\n")[1:], strict=False))
    for step, printed in told:
        is_last = step is told[-1][0]
        if is_last and done.returncode:
            raise NotAsShown(step, f"exit code {done.returncode}", printed)
        missing = first_missing(step.shown, printed)
        if missing is not None:
            raise NotAsShown(step, f"did not print {missing!r}", printed)
    return told


def _forgiving(commands: str) -> str:
    """The commands, those that may fail written so that the shell goes on."""
    return _MAY_FAIL.sub(
        lambda match: f'code=0; {match["command"]} || code=$?; echo "exit code $code"', commands
    )


def first_missing(shown: tuple[str, ...], printed: str) -> str | None:
    """The first shown line that was not printed, in order; None where all were."""
    lines = iter([" ".join(line.split()) for line in printed.splitlines()])
    for line in shown:
        parts = [re.escape(" ".join(part.split())) for part in line.split("…")]
        wanted = re.compile(" ?.*?".join(parts))
        if line.strip() != "…" and not any(wanted.search(each) for each in lines):
            return line
    return None


def main() -> int:
    """Follows every page; 1 at the first step that is not as shown."""
    parser = argparse.ArgumentParser(description="Run the commands of a page as a reader would.")
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--in", dest="folder", type=Path, default=REPO, help="where to run them")
    arguments = parser.parse_args()
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    for page in arguments.pages:
        try:
            told = follow(page.read_text("utf-8"), arguments.folder, environment)
        except NotAsShown as fault:
            print(f"{page}: {fault}", file=sys.stderr)
            return 1
        print(f"{page}: {len(told)} steps, all as shown")
    return 0


if __name__ == "__main__":
    sys.exit(main())
