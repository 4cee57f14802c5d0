"""What there is to tell: every cause that stands now, whoever asks and however often.

Belongs here: reading causes from the published file, its receipt, the history and what was blocked,
and putting each into a few lines that say what, how much, since when, whose move and what to run.
Does not belong here: who has been told (`messages`, `state`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from orchestration.lib.audit.alarms import Alarm, read_alarms, rows
from orchestration.lib.audit.pack import pack_of
from orchestration.lib.audit.page import shown_rate, what
from orchestration.lib.explain import Money
from orchestration.lib.release import history
from orchestration.lib.release.folders import RECEIPT, blocked_folder, current_number
from orchestration.lib.release.promote import Publication, publication
from orchestration.lib.release.reader import open_release
from orchestration.lib.release.receipt import LawLine, read_receipt
from orchestration.lib.release.seal import without_personal_data
from orchestration.settings import Home

if TYPE_CHECKING:
    import duckdb

Kind = Literal["blocked", "failed", "warnings", "alarm", "overdue"]
#: In the order in which people should hear of them.
KINDS: tuple[Kind, ...] = ("blocked", "failed", "warnings", "alarm", "overdue")
_ERROR_LENGTH = 300
#: What is overdue is told by name: a commitment (G1), a variance item (G2).
_TOLD_BY_ROW = frozenset({"G1", "G2"})
_DEPARTMENTS = {
    "marketing": "marketing",
    "sales": "sales",
    "finance": "finance",
    "revenue operations": "revops",
}


@dataclass(frozen=True)
class Cause:
    """One thing that somebody must look at.

    `key` is the same as long as it is the same thing. It is told again when `material` is another
    text or `size` has doubled. `lines` say it in full, `owners` are whose move it is (nobody named:
    everybody hears of it), `weight` puts the largest first.
    """

    key: str
    kind: Kind
    title: str
    lines: tuple[str, ...] = ()
    owners: frozenset[str] = frozenset()
    material: str = ""
    size: int = 0
    weight: int = 0


@dataclass(frozen=True)
class Standing:
    """Everything that stands; `unknown` are kinds about which nothing can be said now."""

    company: str
    causes: tuple[Cause, ...] = ()
    readers: str = ""
    unknown: frozenset[str] = field(default_factory=frozenset)


def read_standing(home: Home, *, failure: BaseException | str | None, ended: bool) -> Standing:
    """What stands in this home.

    Args:
        home: the state folder.
        failure: what ended the run that was just made, if it was no law.
        ended: a whole run has just ended; otherwise nothing is known of failures.
    """
    number = current_number(home)
    kept = None if number is None else publication(home, number)
    money = Money.of_the_world()
    causes = _blocked(home, money)
    if failure is not None:
        causes.append(_failed(failure))
    unknown = set() if ended else {"failed"}
    company = _company(home, kept)
    if kept is None:
        return Standing(company, tuple(causes), "Nothing is published yet.", frozenset(unknown))
    causes += _warnings(kept, money)
    with open_release(kept.database) as connection:
        causes += [_alarm(home, alarm, money) for alarm in read_alarms(connection)]
        causes += _overdue(connection, money)
    causes.sort(key=lambda cause: (KINDS.index(cause.kind), -cause.weight, cause.key))
    readers = f"Readers see publication {kept.number}, as of {kept.receipt.as_of}."
    return Standing(company, tuple(causes), readers, frozenset(unknown))


def _company(home: Home, kept: Publication | None) -> str:
    if kept is not None:
        return kept.receipt.company
    blocked = blocked_folder(home) / RECEIPT
    return read_receipt(blocked).company if blocked.exists() else "Tieout"


# --- Blocked, failed, warned ---------------------------------------------------------------------


def _blocked(home: Home, money: Money) -> list[Cause]:
    """The laws that stand in the way, if the newest run that came to the gate was blocked."""
    events = history.read_history(home)
    if not events or events[-1].action != "blocked":
        return []
    path = blocked_folder(home) / RECEIPT
    lines = read_receipt(path).blocking if path.exists() else []
    if not lines:
        return [
            Cause(
                "blocked:gate",
                "blocked",
                "the gate gave no verdict",
                (
                    f"since {_since(events, None)}",
                    "whose move: whoever runs Tieout",
                    "run: tieout status",
                ),
            )
        ]
    return [
        Cause(
            f"blocked:{line.law}",
            "blocked",
            f"{line.law}: {line.title}",
            (
                f"{_found(line, money)}, since {_since(events, line.law)}",
                f"whose move: {line.owner}",
                f"run: tieout explain {line.law}",
            ),
            _departments(line.owner),
            material=line.status,
            size=line.offending_count,
            weight=abs(line.difference or 0) if line.unit == "minor" else line.offending_count,
        )
        for line in lines
    ]


def _since(events: list[history.Event], law: str | None) -> str:
    """The first of the runs in a row that this law blocked."""
    since = events[-1].at
    for event in reversed(events):
        if event.action != "blocked" or (law is not None and law not in event.laws):
            break
        since = event.at
    return _minute(since)


def _found(line: LawLine, money: Money) -> str:
    if line.status == "error":
        return f"could not be checked: {_plain(line.reason or 'no reason given')}"
    count = f"{line.offending_count:,} {'row' if line.offending_count == 1 else 'rows'}"
    if line.unit == "minor" and line.difference and line.currency:
        return f"off by {money.text(line.difference, line.currency)} in {count}"
    return count


def _failed(failure: BaseException | str) -> Cause:
    """By its first line; what changes from run to run in it makes no other cause of it."""
    text = str(failure).strip() or type(failure).__name__
    first = _plain(text.splitlines()[0])[:_ERROR_LENGTH]
    return Cause(
        "failed",
        "failed",
        "the run ended with an error",
        (first, "whose move: whoever runs Tieout", "run: tieout status; the log has the rest"),
        material=re.sub(r"\d+", "0", first),
    )


def _warnings(kept: Publication, money: Money) -> list[Cause]:
    """Laws that only warn, and waived ones; whose rows are told one by one are left out."""
    found = []
    for line in kept.receipt.laws:
        if line.waived:
            told = (
                f"waived for {line.waived:,} {'row' if line.waived == 1 else 'rows'}:"
                f" {_plain(line.reason or '')}"
            )
            material = f"waived {line.reason}"
        elif line.law in _TOLD_BY_ROW:
            continue
        elif line.status == "broken" and line.severity == "warn":
            told, material = f"{_found(line, money)}; it warns and does not block", "broken"
        else:
            continue
        found.append(
            Cause(
                f"warnings:{line.law}",
                "warnings",
                f"{line.law}: {line.title}",
                (told, f"whose move: {line.owner}", f"run: tieout explain {line.law}"),
                _departments(line.owner),
                material=material,
                size=line.waived or line.offending_count,
                weight=line.waived or line.offending_count,
            )
        )
    return found


def _departments(owner: str) -> frozenset[str]:
    """A law's owner is a phrase; where it names a row's owner, everybody hears of it."""
    if "named in the row" in owner:
        return frozenset()
    words = owner.lower()
    return frozenset(name for phrase, name in _DEPARTMENTS.items() if phrase in words)


# --- Alarms and what is overdue ------------------------------------------------------------------


def _alarm(home: Home, alarm: Alarm, money: Money) -> Cause:
    """One cause per rate and cohort; an alarm that history moved by an hour is told as a change."""
    settled = (
        "" if alarm.settled_at_alarm is None else f" after {alarm.settled_at_alarm} decided leads"
    )
    budget = (
        ""
        if alarm.budget_minor is None
        else f" of {money.text(alarm.budget_minor, alarm.currency)}"
    )
    pack = pack_of(home, alarm)
    return Cause(
        f"alarm:{alarm.kind}|{alarm.metric}|{alarm.period}|{alarm.scope}",
        "alarm",
        what(alarm),
        (
            f"planned {shown_rate(alarm, alarm.expected, money)}, is"
            f" {shown_rate(alarm, alarm.actual, money)}; it rose{settled}, on"
            f" {_minute(alarm.alarmed_at)}",
            f"not yet burnt then: {money.text(alarm.not_yet_burnt_minor, alarm.currency)}{budget}",
            f"whose move: {_who(alarm.owner, alarm.owner_department)}"
            + (f", variance item {alarm.item_id}" if alarm.item_id else ""),
            *([] if pack is None else [f"open: {pack / 'index.html'}"]),
            f"run: tieout audit handoff {alarm.key}",
        ),
        _people(alarm.owner, alarm.owner_department),
        material=alarm.alarmed_at.isoformat(),
        weight=alarm.not_yet_burnt_minor,
    )


def _overdue(connection: duckdb.DuckDBPyConnection, money: Money) -> list[Cause]:
    (run,) = rows(connection, "select reporting_currency as currency from audit.run")
    currency = run["currency"]
    items = rows(
        connection,
        """
        select item_id, metric, period, scope, owner, owner_department, variance_minor,
            variance_pct, due_date, action_due_date
        from rpt_variance_item where status = 'overdue' order by item_id
        """,
    )
    cohorts = rows(
        connection,
        """
        select campaign_key, cohort_start_date, overdue_minor, due_date
        from rpt_commitment__campaign_cohort where status = 'overdue'
        order by campaign_key, cohort_start_date
        """,
    )
    return [_item(item, currency, money) for item in items] + [
        _commitment(cohort, currency, money) for cohort in cohorts
    ]


def _item(item: dict[str, Any], currency: str, money: Money) -> Cause:
    if item["variance_minor"]:
        much = f"{money.text(item['variance_minor'], currency)} against plan"
    elif item["variance_pct"] is not None:
        much = f"{item['variance_pct']:+} % against plan"
    else:
        much = "outside its tolerance"
    due = item["action_due_date"] or item["due_date"]
    return Cause(
        f"overdue:{item['item_id']}",
        "overdue",
        f"{item['item_id']}: {item['metric']} of {item['scope']}, {item['period']}",
        (
            f"{much}; the answer was due {due}",
            f"whose move: {_who(item['owner'], item['owner_department'])}",
            f"run: tieout note {item['item_id']} --why … --action … --due … --as …",
        ),
        _people(item["owner"], item["owner_department"]),
        material=str(due),
        size=abs(item["variance_minor"] or 0),
        weight=abs(item["variance_minor"] or 0),
    )


def _commitment(cohort: dict[str, Any], currency: str, money: Money) -> Cause:
    campaign, day = cohort["campaign_key"], cohort["cohort_start_date"]
    return Cause(
        f"overdue:{campaign}|{day}",
        "overdue",
        f"no rate committed for {campaign}, cohort {day}",
        (
            f"{money.text(cohort['overdue_minor'], currency)} uncommitted; the rate was due"
            f" {cohort['due_date']}",
            "whose move: the head of Sales",
            f'run: tieout commit "{campaign}" {day} --rate … --as …',
        ),
        frozenset({"sales"}),
        material=str(cohort["due_date"]),
        size=cohort["overdue_minor"],
        weight=cohort["overdue_minor"],
    )


def _who(owner: str | None, department: str | None) -> str:
    if owner is None:
        return "nobody is named in the plan"
    return f"{owner} ({department})" if department else owner


def _people(*names: str | None) -> frozenset[str]:
    return frozenset(name.casefold() for name in names if name)


def _minute(moment: datetime | str) -> str:
    parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return parsed.strftime("%Y-%m-%d %H:%M UTC")


def _plain(text: str) -> str:
    """One line without anybody's e-mail address."""
    return str(without_personal_data({"text": " ".join(text.split())})["text"])


def names(causes: Iterable[Cause]) -> str:
    """Their titles' first words, for a subject: `B1, B4`."""
    return ", ".join(cause.title.partition(":")[0] for cause in causes)
