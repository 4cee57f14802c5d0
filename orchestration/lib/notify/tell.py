"""After a run, whatever came of it: tell every channel what it has not been told.

Belongs here: putting the parts together, under a lock of its own (the run's is free again). Nothing
that goes wrong here goes any further than the report: a run is not worse for a channel that fails.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from orchestration.lib.notify.causes import Standing, read_standing
from orchestration.lib.notify.delivery import PAUSES, Delivery, deliver
from orchestration.lib.notify.messages import Message, messages_for
from orchestration.lib.notify.state import ChannelState, State, read_state, write_state
from orchestration.lib.release.receipt import instant
from orchestration.settings import Home

if TYPE_CHECKING:
    from orchestration.lib.sources.config import Channel

LOG = logging.getLogger("tieout.notify")
_LOCK_SECONDS = 180.0


@dataclass(frozen=True)
class ChannelReport:
    """What a channel was told just now; `reason` says why the rest is still waiting."""

    channel: str
    told: tuple[str, ...] = ()
    waiting: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class Report:
    """What was told; `problem` if nothing could be, in words without any address."""

    channels: tuple[ChannelReport, ...] = ()
    problem: str | None = None

    @property
    def failed(self) -> list[ChannelReport]:
        """Channels that were not reached."""
        return [line for line in self.channels if line.reason is not None]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def tell(
    home: Home,
    channels: Mapping[str, Channel],
    *,
    failure: BaseException | str | None = None,
    ended: bool = True,
    pauses: Sequence[float] = PAUSES,
) -> Report:
    """Tell the channels what is new, changed or gone since they were told; never raises.

    Args:
        home: the state folder.
        channels: as configured; without any nothing happens.
        failure: what ended the run, if it was no law.
        ended: a whole run has ended; without one nothing is said about failures.
        pauses: seconds before each further try of a message.
    """
    if not channels:
        return Report()
    try:
        home.notify.mkdir(parents=True, exist_ok=True)
        with FileLock(home.notify / "lock", timeout=_LOCK_SECONDS):
            standing = read_standing(home, failure=failure, ended=ended)
            report = _tell(home, channels, standing, pauses)
    except Exception as error:
        LOG.exception("nobody was told")
        return Report(problem=f"{type(error).__name__}: {error}")
    for line in report.channels:
        if line.told:
            LOG.info("channel %s was told: %s", line.channel, "; ".join(line.told))
        if line.reason:
            LOG.warning(
                "channel %s was not reached: %s; %d message(s) wait for the next run",
                line.channel, line.reason, line.waiting,
            )  # fmt: skip
    return report


def _tell(
    home: Home, channels: Mapping[str, Channel], standing: Standing, pauses: Sequence[float]
) -> Report:
    state = read_state(home)
    at = instant(datetime.now(UTC).replace(microsecond=0))
    pending = plan(channels, state, standing, at)
    to_send = {
        name: (channels[name].url_env, messages) for name, messages in pending.items() if messages
    }
    answers = deliver(to_send, pauses=pauses) if to_send else {}
    lines = []
    for name, messages in pending.items():
        answer = answers.get(name, Delivery(0, None))
        lines.append(_record(name, state[name], messages, answer, at))
    write_state(home, {name: state[name] for name in channels})
    return Report(tuple(lines))


def plan(
    channels: Mapping[str, Channel], state: State, standing: Standing, at: str
) -> dict[str, list[Message]]:
    """What each channel has to hear; the state then knows every channel, and forgets the rest.

    A channel that was never reached hears it all in one message, however long that takes.
    """
    pending = {}
    for name, channel in channels.items():
        known = state.get(name)
        was_reached = known is not None and (bool(known.told) or known.failing_since is None)
        told = known.told if known is not None and was_reached else None
        pending[name], forgotten = messages_for(channel, told, standing, at)
        own = state.setdefault(name, ChannelState())
        for key in forgotten:
            own.told.pop(key, None)
    return pending


def _record(
    name: str, own: ChannelState, messages: Sequence[Message], answer: Delivery, at: str
) -> ChannelReport:
    """What got through is known from now on; the rest is told again with the next run."""
    for message in messages[: answer.delivered]:
        for key, mark in message.marks.items():
            if mark is None:
                own.told.pop(key, None)
            else:
                own.told[key] = mark
    own.waiting = len(messages) - answer.delivered
    if messages:
        own.failing_since = None if answer.reason is None else own.failing_since or at
        own.reason = answer.reason
    titles = tuple(message.title for message in messages[: answer.delivered])
    return ChannelReport(name, titles, own.waiting, answer.reason)
