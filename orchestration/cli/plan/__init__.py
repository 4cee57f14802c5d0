"""`tieout plan`: the joint plan, from an empty workbook to signed versions.

Belongs here: putting the commands together. Each module has its own.
"""

from __future__ import annotations

import typer

from orchestration.cli.plan import check, contract, workbook

app = typer.Typer(
    no_args_is_help=True,
    help="The joint plan: a contract that is locked, signed and enforced.",
)
app.command()(workbook.template)
app.command(name="import")(workbook.import_)
app.command()(workbook.export)
app.command()(contract.key)
app.command()(check.check)
app.command()(contract.lock)
app.command()(contract.sign)
app.command()(contract.withdraw)
app.command()(contract.amend)
app.command()(contract.diff)
app.command()(contract.show)
