"""`tieout mirror`: what is published, in PostgreSQL, for tools that speak ODBC or JDBC.

Belongs here: the command and its output. The copy is `orchestration.lib.release.mirror`.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated

import typer

from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.folders import current_number
from orchestration.lib.release.promote import publication
from orchestration.settings import Home

ADDRESS = "TIEOUT_MIRROR"


def mirror(
    number: Annotated[
        int | None,
        typer.Argument(metavar="[N]", help="A kept publication; what readers see when left out."),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="VARIABLE",
            help="Environment variable with the address of the database.",
        ),
    ] = ADDRESS,
    schema: Annotated[
        str,
        typer.Option(
            "--schema", help="Schema of the figures; NAME_audit and NAME_meta go with it."
        ),
    ] = "tieout",
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds that open readers are waited for.")
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Copy the published tables to PostgreSQL, for tools that speak ODBC or JDBC.

    The address (postgresql://user:…@host/database, or as libpq reads it) is taken from an
    environment variable and never shown. Only what passed the gate is copied, in one transaction:
    readers see the old publication or the new one, whatever happens. Roles that may use the old
    schemas may use the new. Needs psycopg (`pip install 'tieout[mirror]'`).
    Exit code 0: the mirror shows the publication; 1: it is as it was; 2: no address, no psycopg.
    """
    from orchestration.lib.release import mirror as copying

    address = os.environ.get(to)
    if not address:
        typer.echo(
            f"error: the environment variable {to} holds no address\n"
            "  why:  the mirror goes to a database, and its password belongs in no command line\n"
            f"  next: set {to} to postgresql://user:…@host/database",
            err=True,
        )
        raise typer.Exit(2)
    home = Home.from_environment()
    try:
        chosen = current_number(home) if number is None else number
        if chosen is None:
            raise ReleaseError(
                "nothing is published yet",
                why="only what passed the gate is mirrored",
                next_step="`tieout run`",
            )
        found = copying.mirror(home, publication(home, chosen), address, schema=schema, wait=wait)
    except copying.DriverMissingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    except ReleaseError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        from orchestration.cli.output import print_json

        print_json(asdict(found))
    elif found.is_unchanged:
        typer.echo(f"the mirror shows publication {found.number} already")
    else:
        typer.echo(
            f"the mirror shows publication {found.number}: {found.tables} tables,"
            f" {found.rows:,} rows in {found.seconds:.1f} s"
        )
