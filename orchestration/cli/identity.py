"""`tieout identity`: suggestions of who may be who, for people to review.

Belongs here: the command and its output. The matching is `orchestration.lib.identity`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.settings import Home

app = typer.Typer(
    no_args_is_help=True, help="Who is who: suggestions for people to review; nothing is merged."
)


@app.callback()
def _identity() -> None:
    """Who is who: suggestions for people to review; nothing is merged."""


@app.command()
def suggest(
    threshold: Annotated[
        float,
        typer.Option(
            "--threshold", min=0.01, max=1.0, help="Least probability of what is suggested."
        ),
    ] = 0.9,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the CSV there instead of printing it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Suggest merges of leads and of contacts that the exact rules keep apart, by Splink.

    Reads the last run of TIEOUT_HOME; needs Splink (`pip install 'tieout[identity]'`). The CSV has
    the columns of the canonical input `merges` and the probability: delete what is wrong, set
    merged_at, drop the last column and deliver the rest as merges. Nothing is merged by itself.
    Exit code 0: done, also with nothing to suggest; 1: there was no run; 2: Splink is missing.
    """
    from orchestration.lib import identity

    try:
        with identity.last_run_records(Home.from_environment()) as records:
            suggestions = identity.suggest(records, threshold)
    except identity.SplinkMissingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    except identity.IdentityError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    text = identity.write_suggestions(suggestions, out)
    if as_json:
        from orchestration.cli.output import print_json

        print_json({"threshold": threshold, "suggestions": [vars(each) for each in suggestions]})
    elif out is None:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"{out}: {len(suggestions):,} suggested merges; review them, nothing is merged")
