"""The repository as files and text, for the tests beside this module."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent.parent

#: What .gitignore leaves out, for a tree that came without git.
_LEFT_OUT = {
    ".git", ".venv", ".tieout", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache",
    ".hypothesis", ".benchmarks", "target", "logs", "dist", "build",
}  # fmt: skip


@functools.cache
def files() -> tuple[Path, ...]:
    """Every file that is, or on the next commit would be, in the repository."""
    if (REPO / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPO,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
        found = [REPO / name for name in listed if name]
    else:
        found = []
        for folder, names, leaves in os.walk(REPO):
            names[:] = [name for name in names if name not in _LEFT_OUT]
            found += [Path(folder) / leaf for leaf in leaves if not leaf.endswith(".pyc")]
    return tuple(sorted(path for path in found if path.is_file()))


def under(*folders: str, suffix: str = "") -> list[Path]:
    """The files below these folders, by suffix."""
    roots = [REPO / folder for folder in folders]
    return [
        path
        for path in files()
        if path.name.endswith(suffix) and any(path.is_relative_to(root) for root in roots)
    ]


def relative(path: Path) -> str:
    """A path as people name it."""
    return path.relative_to(REPO).as_posix()


def text(path: Path) -> str | None:
    """A file's text; None for one that is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


_NOT_SQL = re.compile(
    r"(?P<jinja>\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\})|(?P<block>/\*.*?\*/)|(?P<line>--[^\n]*)"
    r"|(?P<string>'(?:[^']|'')*')|(?P<name>\"[^\"]*\")",
    re.DOTALL,
)


def bare_sql(source: str) -> str:
    """SQL without Jinja, comments, strings and quoted names; every line keeps its number."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group())

    return _NOT_SQL.sub(blank, source)
