"""`tieout report`: where the scorecard is, a copy of it, or the one of an older publication.

Belongs here: arguments and output. Does not belong here: making a page
(`orchestration.lib.scorecard`). Nothing heavy is imported unless a page must be made.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.output import print_json
from orchestration.lib.release import history
from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.folders import SCORECARD, current_number, write_durably
from orchestration.lib.release.promote import Publication, publication
from orchestration.settings import Home


def report(
    number: Annotated[
        int | None,
        typer.Option("--publication", metavar="N", help="That publication's; else the current."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write a copy there.", dir_okay=False),
    ] = None,
    opens: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Show the scorecard: one page of a publication, for people; it works offline and prints.

    Without --publication it is the page of what readers see now, in TIEOUT_HOME/reports, with a
    banner while runs are blocked. A publication made before there were pages gets one from its
    file.
    """
    home = Home.from_environment()
    try:
        kept, file = _page(home, number)
        if output is not None:
            output.parent.mkdir(parents=True, exist_ok=True)
            write_durably(output, file.read_text(encoding="utf-8"))
            file = output.resolve()
    except (ReleaseError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    is_blocked = number is None and bool(history.blocked_row(history.read_history(home)))
    if as_json:
        print_json(
            {
                "publication": kept.number,
                "as_of": kept.receipt.as_of,
                "is_blocked": is_blocked,
                "file": str(file),
                "bytes": file.stat().st_size,
            }
        )
    else:
        typer.echo(f"publication {kept.number} as of {kept.receipt.as_of}")
        if is_blocked:
            typer.echo("runs are blocked since: the page says which law, and whose move it is")
        typer.echo(str(file))
    if opens:
        _open(file)


def _open(file: Path) -> None:
    import webbrowser

    if not webbrowser.open(file.as_uri()):
        typer.echo(f"error: found no browser to open {file}", err=True)
        raise typer.Exit(1)


def _page(home: Home, number: int | None) -> tuple[Publication, Path]:
    """The publication and the file with its page."""
    from orchestration.lib.scorecard.shown import page_of, show

    if number is None:
        shown = current_number(home)
        if shown is None:
            raise ReleaseError(
                "nothing is published yet",
                why="a scorecard is made with every publication",
                next_step="`tieout run`",
            )
        from expectations.laws import load_laws

        return publication(home, shown), show(home, load_laws())
    kept = publication(home, number)
    if (kept.folder / SCORECARD).exists():
        return kept, kept.folder / SCORECARD
    home.reports.mkdir(parents=True, exist_ok=True)
    file = home.reports / f"scorecard-{number}.html"
    write_durably(file, page_of(kept.folder))
    return kept, file
