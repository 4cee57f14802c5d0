"""`tieout publications`: list, compare, verify and roll back what was published.

Belongs here: arguments and output. Does not belong here: anything that changes a release
(`orchestration.lib.release`). DuckDB is imported by the commands that need it only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from orchestration.cli.output import print_json, print_table
from orchestration.lib.lock import AnotherRunError, run_lock
from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.promote import Publication, publication, publications
from orchestration.lib.release.promote import rollback as roll_back
from orchestration.settings import Home

app = typer.Typer(
    no_args_is_help=True,
    help="Everything published is kept and numbered: list, compare, verify, go back.",
)

_Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@app.command(name="list")
def list_(as_json: _Json = False) -> None:
    """List all publications, newest first; * marks the one that readers see."""
    with _errors_told():
        kept = publications(Home.from_environment())[::-1]
    if as_json:
        print_json([_as_dict(release) for release in kept])
        return
    if not kept:
        typer.echo("nothing is published yet: `tieout run`")
        return
    heads = ("", "number", "as of", "published at", "plan", "waived", "code", "rows", "content")
    print_table(
        heads,
        [
            (
                "*" if release.is_current else "",
                str(release.number),
                release.receipt.as_of,
                release.published_at or "(not recorded)",
                release.receipt.plan_version or "(none)",
                ", ".join(line.law for line in release.receipt.waived),
                release.receipt.code_version,
                f"{sum(table.rows for table in release.receipt.tables):,}",
                release.receipt.content_sha256[:12],
            )
            for release in kept
        ],
    )


@app.command()
def diff(
    a: Annotated[int, typer.Argument(metavar="A", help="Publication to compare from.")],
    b: Annotated[int, typer.Argument(metavar="B", help="Publication to compare to.")],
    as_json: _Json = False,
) -> None:
    """Show what differs from publication A to B: versions, laws, tables, figures with causes."""
    from orchestration.lib.release.diff import diff as compare

    with _errors_told():
        home = Home.from_environment()
        found = compare(publication(home, a), publication(home, b))
    if as_json:
        print_json(asdict(found))
        return
    if found.has_same_content:
        typer.echo(f"publications {a} and {b} have the same content")
    for version in found.versions:
        typer.echo(f"{version.fact}: {version.before} -> {version.after}")
    for law in found.laws:
        typer.echo(
            f"law {law.law}: {law.before or '(not judged)'} -> {law.after or '(not judged)'}"
        )
    for table in found.tables:
        typer.echo(
            f"{table.table}: {_rows(table.rows_before)} -> {_rows(table.rows_after)} rows"
            + (" (other rows)" if table.rows_before == table.rows_after else "")
        )
    if found.not_compared:
        typer.echo(f"not compared, one of them lacks it: {', '.join(found.not_compared)}")
    if found.changes:
        heads = ("measure", "campaign", "cohort", "stage", "before", "after", "difference", "cause")
        print_table(
            heads,
            [
                (
                    change.measure,
                    change.campaign_key or "",
                    str(change.cohort_start_date or ""),
                    change.stage or "",
                    f"{change.before_value:,}",
                    f"{change.after_value:,}",
                    f"{change.difference:+,}",
                    change.cause,
                )
                for change in found.changes
            ],
        )


@app.command()
def rollback(
    number: Annotated[int, typer.Argument(metavar="N", help="Publication to show again.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the history.")],
    as_json: _Json = False,
) -> None:
    """Show readers publication N again. It is recorded; the next publication counts on."""
    from expectations.laws import load_laws
    from orchestration.lib.scorecard.shown import show as show_page

    with _errors_told():
        home = Home.from_environment()
        with run_lock(home):
            shown = roll_back(home, number, reason)
            show_page(home, load_laws())
    if as_json:
        print_json(_as_dict(shown))
    else:
        typer.echo(f"readers see publication {shown.number} again, as of {shown.receipt.as_of}")


@app.command()
def verify(
    number: Annotated[
        int | None, typer.Argument(metavar="[N]", help="One publication; all when left out.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Check that files and tables are still exactly what was published; exits 1 if not."""
    from orchestration.lib.release.verify import verify as verify_one

    with _errors_told():
        home = Home.from_environment()
        chosen = publications(home) if number is None else [publication(home, number)]
        results = [verify_one(home, release) for release in chosen]
    if as_json:
        print_json([asdict(result) for result in results])
    else:
        for result in results:
            verdict = "whole" if result.is_whole else "DAMAGED"
            typer.echo(f"publication {result.number}: {verdict}")
            for line in (*result.damages, *([] if result.note is None else [result.note])):
                typer.echo(f"  {line}")
    if not all(result.is_whole for result in results):
        raise typer.Exit(1)


@contextmanager
def _errors_told() -> Iterator[None]:
    try:
        yield
    except (ReleaseError, AnotherRunError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def _as_dict(release: Publication) -> dict[str, Any]:
    return {
        "number": release.number,
        "is_current": release.is_current,
        "published_at": release.published_at,
        "file": str(release.database),
        "receipt": json.loads(release.receipt.to_json()),
    }


def _rows(count: int | None) -> str:
    return "(absent)" if count is None else f"{count:,}"
