"""`tieout notify`: try a channel, and see what would be said.

Belongs here: arguments and output. Does not belong here: what is told, and how
(`orchestration.lib.notify`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.output import print_json
from orchestration.settings import Home

if TYPE_CHECKING:
    from orchestration.lib.sources.config import SourcesFile

app = typer.Typer(
    no_args_is_help=True,
    help="Who is told of blocks, alarms and what is overdue. Channels stand in sources.yml under"
    " notify.channels; their addresses (Slack, Teams, e-mail, webhooks: see the documentation of"
    " apprise) in environment variables, because they hold secrets.",
)

_Sources = Annotated[
    Path | None,
    typer.Option(
        "--sources",
        metavar="FILE",
        envvar="TIEOUT_SOURCES",
        help="The sources.yml that names the channels; the bundled sample if left out.",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@app.command()
def test(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="Name of a channel.")],
    sources: _Sources = None,
    as_json: _Json = False,
) -> None:
    """Send one message to a channel, to see that it gets there.

    Exits 0 when the service took it, 1 when not (the reason is told, never the address), 2 for an
    unknown channel. What the channel was told before does not change.
    """
    from dataclasses import asdict

    from orchestration.lib.notify.delivery import deliver
    from orchestration.lib.notify.messages import Message

    loaded = _load(sources)
    channels = loaded.notify.channels
    if channel not in channels:
        known = ", ".join(channels) or "none (notify.channels is empty)"
        typer.echo(f"error: there is no channel {channel!r}; {loaded.path} has {known}", err=True)
        raise typer.Exit(2)
    message = Message(
        "test",
        f"{loaded.company.name}: Tieout reaches this channel",
        f"It asks for {', '.join(channels[channel].events)}. Nothing has happened; this is a test.",
    )
    result = deliver({channel: (channels[channel].url_env, [message])})[channel]
    if as_json:
        print_json({"channel": channel, **asdict(result)})
    elif result.reason is None:
        typer.echo(f"channel {channel}: delivered")
    else:
        typer.echo(f"channel {channel}: not delivered: {result.reason}", err=True)
    raise typer.Exit(0 if result.reason is None else 1)


@app.command()
def preview(sources: _Sources = None, as_json: _Json = False) -> None:
    """Show what every channel would be told now; sends nothing, remembers nothing.

    Without channels: what one that asks for everything would be told the first time.
    """
    from dataclasses import asdict
    from datetime import UTC, datetime

    from orchestration.lib.notify.causes import read_standing
    from orchestration.lib.notify.state import read_state
    from orchestration.lib.notify.tell import plan
    from orchestration.lib.release.errors import ReleaseError
    from orchestration.lib.release.receipt import instant
    from orchestration.lib.sources.config import Channel

    home = Home.from_environment()
    channels = _load(sources).notify.channels
    if not channels:
        channels = {"(everything)": Channel(url_env="NOBODY")}
    try:
        standing = read_standing(home, failure=None, ended=False)
        pending = plan(channels, read_state(home), standing, instant(datetime.now(UTC)))
    except ReleaseError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        print_json({name: [asdict(each) for each in own] for name, own in pending.items()})
        return
    for name, own in pending.items():
        typer.echo(f"channel {name}: {len(own) or 'no'} message{'s' if len(own) != 1 else ''}")
        for message in own:
            body = message.body.replace("\n", "\n  ")
            typer.echo(f"\n  {message.title}\n\n  {body}\n")


def _load(sources: Path | None) -> SourcesFile:
    from orchestration.lib.sources.config import SourcesError, load_sources
    from orchestration.settings import SAMPLE_SOURCES

    try:
        return load_sources(sources or SAMPLE_SOURCES)
    except SourcesError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
