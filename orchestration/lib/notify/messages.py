"""What a channel has to hear: new, changed and gone causes, one message a kind.

Belongs here: the decision and the words. No file, no clock, no network: the same causes and the
same state give the same messages. Does not belong here: where causes come from (`causes`), sending.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from orchestration.lib.notify.causes import KINDS, Cause, Kind, Standing, names
from orchestration.lib.notify.state import Told

#: Causes that one message says in full; the others are counted.
AT_MOST = 8
_RESOLVED = "resolved"


class Wanted(Protocol):
    """What a channel asks for (`orchestration.lib.sources.config.Channel` is one)."""

    @property
    def events(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def owners(self) -> Sequence[str]: ...  # noqa: D102


@dataclass(frozen=True)
class Message:
    """What is sent, and what the channel knows once it got through (None: it may forget)."""

    kind: str
    title: str
    body: str
    marks: Mapping[str, Told | None] = field(default_factory=dict)


def messages_for(
    wanted: Wanted, told: Mapping[str, Told] | None, standing: Standing, at: str
) -> tuple[list[Message], list[str]]:
    """The messages in the order to send them, and the keys to forget without a word.

    Args:
        wanted: what the channel asks for.
        told: what it was told; None: it has never been spoken to.
        standing: what stands.
        at: this instant, as the state keeps it.
    """
    mine = [cause for cause in standing.causes if wants(wanted, cause)]
    if told is None:
        return _first_contact(mine, standing, at), []
    new = [cause for cause in mine if _is_news(cause, told.get(cause.key))]
    found = [
        _message(kind, group, standing, at, told)
        for kind in KINDS
        if (group := [cause for cause in new if cause.kind == kind])
    ]
    keys = {cause.key for cause in standing.causes}
    gone = {
        key: entry
        for key, entry in told.items()
        if key not in keys and entry.kind not in standing.unknown
    }
    if gone and _RESOLVED in wanted.events:
        found.append(_resolved(gone, standing))
        gone = {}
    mine_keys = {cause.key for cause in mine}
    # What it does not ask for any more: should it ask again, it is told again.
    dropped = [key for key in told if key in keys and key not in mine_keys]
    return found, [*gone, *dropped]


def wants(wanted: Wanted, cause: Cause) -> bool:
    """Whether a channel hears of a cause; what nobody is named for reaches everybody."""
    if cause.kind not in wanted.events:
        return False
    asked = {name.casefold() for name in wanted.owners}
    return not asked or not cause.owners or bool(asked & cause.owners)


def _is_news(cause: Cause, told: Told | None) -> bool:
    """Never told, another thing now, or twice as large as when it was told."""
    if told is None or told.material != cause.material:
        return True
    return cause.size >= 2 * told.size > 0


def _told(cause: Cause, at: str) -> Told:
    return Told(cause.kind, cause.title, cause.material, cause.size, at)


def _message(
    kind: Kind, causes: Sequence[Cause], standing: Standing, at: str, told: Mapping[str, Told]
) -> Message:
    changed = [cause for cause in causes if cause.key in told]
    title = f"{standing.company}: {_subject(kind, causes)}"
    if len(changed) == len(causes):
        title += " (changed)"
    body = [*_entries(causes, in_full=True), standing.readers]
    return Message(
        kind, title, "\n\n".join(body), {cause.key: _told(cause, at) for cause in causes}
    )


def _subject(kind: Kind, causes: Sequence[Cause]) -> str:
    first = causes[0].title
    others = f" and {len(causes) - 1} more" if len(causes) > 1 else ""
    if kind == "blocked":
        return f"blocked by {names(causes[:AT_MOST])}"
    if kind == "failed":
        return first
    if kind == "warnings":
        return f"published with warnings by {names(causes[:AT_MOST])}"
    if kind == "alarm":
        return f"alarm: {first}{others}"
    return f"overdue: {first}{others}"


def _entries(causes: Sequence[Cause], *, in_full: bool) -> list[str]:
    shown = [
        "\n".join([cause.title, *(f"  {line}" for line in cause.lines if in_full)])
        for cause in causes[:AT_MOST]
    ]
    if len(causes) > AT_MOST:
        shown.append(f"… and {len(causes) - AT_MOST:,} more: {_MORE[causes[0].kind]}")
    return shown


#: For one and for several.
_ONE_OR_MORE: dict[Kind, tuple[str, str]] = {
    "blocked": ("law blocks", "laws block"),
    "failed": ("failed run", "failed runs"),
    "warnings": ("warning", "warnings"),
    "alarm": ("alarm", "alarms"),
    "overdue": ("overdue", "overdue"),
}
_MORE: dict[Kind, str] = {
    "blocked": "tieout status",
    "failed": "tieout status",
    "warnings": "tieout status",
    "alarm": "tieout audit handoff --list",
    "overdue": "rpt_variance_item and rpt_commitment__campaign_cohort, status overdue",
}


def _first_contact(causes: Sequence[Cause], standing: Standing, at: str) -> list[Message]:
    """One message, whatever stands; an old home must not pour out what everybody knows."""
    if not causes:
        return []
    by_kind = [(kind, [c for c in causes if c.kind == kind]) for kind in KINDS]
    groups = [(kind, group) for kind, group in by_kind if group]
    if len(groups) == 1:
        return [_message(*groups[0], standing, at, {})]
    counts = ", ".join(
        f"{len(group)} {_ONE_OR_MORE[kind][len(group) > 1]}" for kind, group in groups
    )
    parts = []
    for kind, group in groups:
        urgent = kind in ("blocked", "failed")
        entries = _entries(group, in_full=urgent)
        parts.append(f"{kind.upper()}\n" + ("\n\n" if urgent else "\n").join(entries))
    parts.append(
        f"{standing.readers} This is what stands; from now on only what is new, has changed or is"
        " resolved is told. More: tieout status"
    )
    marks = {cause.key: _told(cause, at) for cause in causes}
    return [Message("standing", f"{standing.company}: {counts}", "\n\n".join(parts), marks)]


def _resolved(gone: Mapping[str, Told], standing: Standing) -> Message:
    entries = sorted(gone.items(), key=lambda entry: (KINDS.index(_kind(entry[1])), entry[0]))
    lines = [
        f"{told.title}\n  {_GONE[_kind(told)]}; it was told on {told.at[:16].replace('T', ' ')} UTC"
        for _, told in entries[:AT_MOST]
    ]
    if len(entries) > AT_MOST:
        lines.append(f"… and {len(entries) - AT_MOST:,} more")
    first = entries[0][1].title.partition(":")[0]
    others = f" and {len(entries) - 1} more" if len(entries) > 1 else ""
    return Message(
        _RESOLVED,
        f"{standing.company}: resolved: {first}{others}",
        "\n\n".join([*lines, standing.readers]),
        dict.fromkeys(gone),
    )


def _kind(told: Told) -> Kind:
    return next((kind for kind in KINDS if kind == told.kind), KINDS[-1])


_GONE: dict[Kind, str] = {
    "blocked": "blocks no longer",
    "failed": "the run goes through again",
    "warnings": "holds again",
    "alarm": "the alarm stands no longer",
    "overdue": "no longer overdue",
}
