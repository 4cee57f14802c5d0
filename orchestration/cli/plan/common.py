"""What the plan's commands share: where the plan is, when it is, how errors are told.

Belongs here: options and answers of more than one command. Nothing heavy is imported at the top.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.output import parse_instant

if TYPE_CHECKING:
    from orchestration.lib.plan.keys import SigningKey
    from orchestration.lib.plan.model import Plan

#: Where the plan stands if neither an option nor a sources.yml says it.
DEFAULT_ROOT = Path("plan")

Root = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        "--root",
        metavar="FOLDER",
        help="The plan's root; else company.plan of the sources.yml, else ./plan.",
    ),
]
Sources = Annotated[
    Path | None,
    typer.Option(
        "--sources",
        metavar="FILE",
        envvar="TIEOUT_SOURCES",
        dir_okay=False,
        exists=True,
        help="The sources.yml whose company.plan names the plan's root.",
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="ISO", help="When it is done; now by default (for repeatable demos)."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


def plan_root(root: Path | None, sources: Path | None) -> Path:
    """The plan's root: as given, else as the sources.yml says, else ./plan if it exists.

    Raises typer.BadParameter where none of them leads to one.
    """
    if root is not None:
        return root
    if sources is not None:
        from orchestration.lib.sources.config import load_sources

        own = load_sources(sources).plan_root
        if own is not None:
            return own
    if DEFAULT_ROOT.is_dir():
        return DEFAULT_ROOT
    place = "" if sources is None else f"; {sources} has no company.plan"
    raise typer.BadParameter(
        f"found no folder {DEFAULT_ROOT}/ here{place}. Name the plan's root: --plan FOLDER",
        param_hint="--plan",
    )


def instant(text: str | None) -> datetime:
    """The moment told by `--at`, in UTC; now where none is told."""
    if text is None:
        return datetime.now(UTC)
    return parse_instant(text, "--at").astimezone(UTC)


def key_of(person: str) -> SigningKey:
    """The person's key in the keys folder."""
    from orchestration.lib.plan.keys import load_key
    from orchestration.settings import keys_folder

    return load_key(person, keys_folder())


def draft_of(root: Path) -> Plan | None:
    """The plan in `draft` below the root, if there is one; PlanError where it cannot be read."""
    from orchestration.lib.plan.folder import read_plan

    return read_plan(root / "draft") if (root / "draft").is_dir() else None


@contextmanager
def errors_told() -> Iterator[None]:
    """What is wrong with a plan, a key or a sources.yml ends the command with 1, in words."""
    from orchestration.lib.plan.contract import ContractError
    from orchestration.lib.plan.keys import KeyFileError
    from orchestration.lib.plan.model import PlanError
    from orchestration.lib.sources.config import SourcesError

    try:
        yield
    except (ContractError, KeyFileError, PlanError, SourcesError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def shown(path: Path) -> str:
    """A path as short as it can be told from here."""
    try:
        return os.fspath(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return os.fspath(path)
