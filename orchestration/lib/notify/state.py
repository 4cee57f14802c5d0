"""What each channel was told, on disk, so that it is told once.

Belongs here: the file and its shape. Written whole, as everything here; no address stands in it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from orchestration.lib.release.folders import write_durably
from orchestration.settings import Home

FORMAT = 1


@dataclass(frozen=True)
class Told:
    """What a channel was told of one cause, and when."""

    kind: str
    title: str
    material: str
    size: int
    at: str


@dataclass
class ChannelState:
    """One channel: what it knows, and since when it cannot be reached, if so."""

    told: dict[str, Told] = field(default_factory=dict)
    failing_since: str | None = None
    reason: str | None = None
    #: Messages that did not get through the last time; they are tried again with the next run.
    waiting: int = 0


State = dict[str, ChannelState]


def state_file(home: Home) -> Path:
    """`notify/state.json`."""
    return home.notify / "state.json"


def read_state(home: Home) -> State:
    """By channel; empty where nothing was told yet.

    A file that cannot be read is set aside: every channel is then spoken to as if for the first
    time, in one message.
    """
    path = state_file(home)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}")
        return {name: _channel(fields) for name, fields in document["channels"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        path.replace(path.with_name("state.damaged.json"))
        return {}


def write_state(home: Home, state: State) -> None:
    """Whole or not at all."""
    document = {
        "format": FORMAT,
        "channels": {name: asdict(channel) for name, channel in sorted(state.items())},
    }
    home.notify.mkdir(parents=True, exist_ok=True)
    write_durably(state_file(home), json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _channel(fields: dict[str, Any]) -> ChannelState:
    told = {key: Told(**entry) for key, entry in fields["told"].items()}
    return ChannelState(**fields | {"told": told})
