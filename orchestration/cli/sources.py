"""`tieout sources`: what is wrong with a configuration or a file, before any run.

Belongs here: the command and how its findings are shown. What is checked is decided in
`orchestration.lib.landing.check`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="What the run reads: check it before any run.")


@app.callback()
def _sources() -> None:
    """What the run reads: check it before any run."""


@app.command()
def check(
    sources: Annotated[
        Path | None,
        typer.Option(
            "--sources", metavar="FILE", help="sources.yml; the bundled sample if left out."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings as JSON.")] = False,
) -> None:
    """Tell what is wrong with a sources.yml and its files; lands nothing, changes nothing.

    Errors keep everything from landing: a key that does not exist, a missing file or column.
    Warnings are rows that would be quarantined, statuses without a stage and currencies without a
    rate: they block the publication unless a tolerance is declared. An unknown header gets a
    mapping to paste. Exit code 0: no errors; 1: errors.
    """
    from orchestration.lib.landing.check import check as run_check
    from orchestration.settings import SAMPLE_SOURCES

    path = sources or SAMPLE_SOURCES
    findings = run_check(path)
    has_errors = any(finding.severity == "error" for finding in findings)
    if as_json:
        body = {"sources": str(path), "findings": [finding.as_dict() for finding in findings]}
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
        raise typer.Exit(int(has_errors))

    from rich.console import Console
    from rich.markup import escape

    console = Console(soft_wrap=True)
    colour = {"error": "red", "warning": "yellow", "info": "cyan"}
    for finding in findings:
        label = f"[{colour[finding.severity]}]{finding.severity}[/]"
        column = f" {finding.column}:" if finding.column else ""
        console.print(f"{label} {escape(finding.place)}{escape(column)} {escape(finding.message)}",
                      highlight=False)  # fmt: skip
        if finding.what_to_do:
            console.print(f"  → {escape(finding.what_to_do)}", highlight=False)
        if finding.suggestion:
            console.print("\n".join(f"    {escape(s)}" for s in finding.suggestion.splitlines()),
                          highlight=False)  # fmt: skip
    counts = {kind: sum(f.severity == kind for f in findings) for kind in colour}
    console.print(
        f"{path}: {counts['error']} errors, {counts['warning']} warnings, {counts['info']} notes",
        highlight=False,
    )
    raise typer.Exit(int(has_errors))
