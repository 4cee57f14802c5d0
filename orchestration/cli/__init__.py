"""`tieout`: the command line, put together. Commands are thin; each has its own module.

Starts light: a command's module imports nothing heavy at its top, so that `tieout --help` and
`tieout status` answer in less than half a second.
"""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration import __version__
from orchestration.cli import audit, identity, notify, plan, pledges, publications, sources
from orchestration.cli.demo import demo
from orchestration.cli.explain import explain
from orchestration.cli.mirror import mirror
from orchestration.cli.report import report
from orchestration.cli.run import run
from orchestration.cli.status import status
from orchestration.cli.ui import ui

app = typer.Typer(
    name="tieout",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Ties marketing's spend to the sales stage every dollar has reached, checks the books"
    " against their laws, and publishes them only if every law holds.\n\n"
    "Begin with `tieout run` (the bundled sample), then `tieout status`. For your own data write a"
    " sources.yml and try it: `tieout sources check --sources FILE`.\n\n"
    "State is in TIEOUT_HOME, .tieout by default; readers open published/current/tieout.duckdb.",
    epilog="Exit codes: 0 published or done, 1 error, 2 wrong usage, 3 blocked by a law.",
)
app.command()(run)
app.command()(status)
app.command()(report)
app.command()(explain)
app.add_typer(sources.app, name="sources")
app.add_typer(plan.app, name="plan")
app.command()(pledges.commit)
app.command()(pledges.note)
app.command()(pledges.waive)
app.command()(pledges.explain_claim)
app.add_typer(publications.app, name="publications")
app.add_typer(audit.app, name="audit")
app.add_typer(notify.app, name="notify")
app.command()(mirror)
app.add_typer(identity.app, name="identity")
app.command()(demo)
app.command()(ui)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tieout {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """The console script."""
    app()
