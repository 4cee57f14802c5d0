"""What a channel has to hear: once, again when it changed, once more when it is gone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from orchestration.lib.notify.causes import Cause, Kind, Standing, read_standing
from orchestration.lib.notify.messages import AT_MOST, Message, messages_for
from orchestration.lib.notify.state import ChannelState, Told, read_state, state_file, write_state
from orchestration.lib.sources.config import Channel
from orchestration.settings import Home
from tests.support.alarmed import block, law, publish

AT = "2026-05-10T12:00:00Z"
EVERYTHING = Channel(url_env="OPS")


def cause(key: str, kind: Kind = "alarm", **changed: object) -> Cause:
    facts: dict[str, object] = {"title": f"title of {key}", "lines": (f"line of {key}",)}
    return Cause(key, kind, **facts | changed)  # type: ignore[arg-type]


def standing(*causes: Cause, unknown: Iterable[str] = ()) -> Standing:
    return Standing("Sample Inc", causes, "Readers see 1.", frozenset(unknown))


def after(messages: Iterable[Message], told: dict[str, Told] | None = None) -> dict[str, Told]:
    """What the channel knows once they got through."""
    known = dict(told or {})
    for message in messages:
        for key, mark in message.marks.items():
            if mark is None:
                known.pop(key)
            else:
                known[key] = mark
    return known


def heard(
    told: dict[str, Told] | None, now: Standing, wanted: Channel = EVERYTHING
) -> list[Message]:
    return messages_for(wanted, told, now, AT)[0]


def test_first_contact_is_one_message_however_much_stands() -> None:
    many = [cause(f"a{number}") for number in range(30)]
    now = standing(cause("b", "blocked", title="B1: ties out"), *many, cause("o", "overdue"))
    (message,) = heard(None, now)
    assert message.title == "Sample Inc: 1 law blocks, 30 alarms, 1 overdue"
    assert "line of b" in message.body, "what is urgent is said in full"
    assert f"… and {30 - AT_MOST} more" in message.body
    assert heard(after([message]), now) == []


def test_first_contact_with_one_kind_is_its_own_message() -> None:
    (message,) = heard(None, standing(cause("b", "blocked", title="B1: ties out")))
    assert message.title == "Sample Inc: blocked by B1"
    assert heard(None, standing()) == []


def test_silent_until_something_changes() -> None:
    now = standing(cause("a", material="x", size=5))
    told = after(heard({}, now))
    assert heard(told, now) == []
    assert heard(told, standing(cause("a", material="x", size=9))) == [], "not twice as much"
    (doubled,) = heard(told, standing(cause("a", material="x", size=10)))
    assert doubled.title.endswith("(changed)")
    (other,) = heard(told, standing(cause("a", material="y", size=5)))
    assert after([other], told)["a"].material == "y"


def test_one_message_a_kind_with_the_most_urgent_first() -> None:
    now = standing(
        cause("b1", "blocked", title="B1: one"),
        cause("b2", "blocked", title="B2: two"),
        *(cause(f"a{number:02}") for number in range(AT_MOST + 4)),
    )
    first, second = heard({}, now)
    assert (first.kind, first.title) == ("blocked", "Sample Inc: blocked by B1, B2")
    assert second.title == f"Sample Inc: alarm: title of a00 and {AT_MOST + 3} more"
    assert second.body.count("line of") == AT_MOST
    assert "… and 4 more: tieout audit handoff --list" in second.body
    assert len(second.marks) == AT_MOST + 4, "those that are only counted are told too"


def test_gone_is_said_once() -> None:
    told = after(heard({}, standing(cause("a"), cause("b", "blocked", title="B1: one"))))
    (message,) = heard(told, standing(cause("a")))
    assert message.title == "Sample Inc: resolved: B1"
    assert "blocks no longer; it was told on 2026-05-10 12:00 UTC" in message.body
    assert heard(after([message], told), standing(cause("a"))) == []
    # Should it come again, it is news again.
    again = standing(cause("a"), cause("b", "blocked"))
    assert len(heard(after([message], told), again)) == 1


def test_what_is_not_known_now_is_not_called_gone() -> None:
    told = after(heard({}, standing(cause("f", "failed"))))
    assert heard(told, standing(unknown={"failed"})) == []
    assert len(heard(told, standing())) == 1


def test_channel_hears_only_what_it_asked_for() -> None:
    now = standing(
        cause("sales", owners=frozenset({"sam", "sales"})),
        cause("money", owners=frozenset({"fay", "finance"})),
        cause("nobody"),
        cause("b", "blocked", owners=frozenset({"sales"})),
    )
    wanted = Channel(url_env="X", events=["alarm"], owners=["Sales"])
    (message,) = heard({}, now, wanted)
    assert set(message.marks) == {"sales", "nobody"}, "nobody's move is everybody's"
    # It does not ask for `resolved`, so it forgets without a word.
    told = after([message])
    assert messages_for(wanted, told, standing(), AT) == ([], ["sales", "nobody"])
    # What it stops asking for is neither resolved nor remembered.
    narrower = Channel(url_env="X", events=["overdue", "resolved"])
    assert messages_for(narrower, told, now, AT) == ([], ["sales", "nobody"])


def test_state_comes_back_as_it_was(tmp_path: Path) -> None:
    home = Home(tmp_path)
    state = {"ops": ChannelState({"a": Told("alarm", "ä", "m", 3, AT)}, AT, "no connection", 2)}
    write_state(home, state)
    assert read_state(home) == state


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2, "channels": {}}', '{"format": 1}'])
def test_state_that_cannot_be_read_is_set_aside(tmp_path: Path, text: str) -> None:
    home = Home(tmp_path)
    home.notify.mkdir()
    state_file(home).write_text(text)
    assert read_state(home) == {}
    assert (home.notify / "state.damaged.json").read_text() == text


def shown(home: Home, failure: str | None = None) -> dict[str, Cause]:
    found = read_standing(home, failure=failure, ended=True)
    return {each.key: each for each in found.causes}


def test_block_says_how_much_since_when_whose_move_and_what_to_run(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish(home, 1)
    off = {"status": "broken", "unit": "minor", "currency": "USD", "offending_count": 2}
    block(home, 2, law("B4", status="broken", offending_count=1))
    block(home, 2, law("B1", difference=-150, **off))
    block(home, 2, law("B1", difference=-150, **off), law("B4", status="error", reason="no table"))
    found = shown(home)
    first = found["blocked:B1"]
    assert first.title == "B1: law B1"
    assert first.lines == (
        "off by -1.50 USD in 2 rows, since 2026-05-10 14:00 UTC",
        "whose move: Marketing operations, who own the spend exports",
        "run: tieout explain B1",
    )
    assert first.owners == {"marketing"}
    assert "could not be checked: no table, since 2026-05-10 15:00" in found["blocked:B4"].lines[0]
    publish(home, 2)
    assert not [key for key in shown(home) if key.startswith("blocked")]


def test_gate_without_a_verdict_is_a_cause(tmp_path: Path) -> None:
    block(Home(tmp_path), 1)
    assert list(shown(Home(tmp_path))) == ["blocked:gate"]


def test_warnings_waivers_alarms_and_what_is_overdue(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish(
        home,
        1,
        law("G3", status="broken", severity="warn", offending_count=4, owner="Revenue operations"),
        law("G2", status="broken", severity="warn", offending_count=1),
        law("P2", status="waived", waived=3, reason="waiver 1, asked by ann@example.com"),
        law("B1"),
        changes="update rpt_variance_item set status = 'overdue' where item_id = 'V-1';"
        "update rpt_commitment__campaign_cohort set status = 'overdue', overdue_minor = 16000,"
        " due_date = '2026-04-20'",
    )
    found = shown(home)
    assert list(found) == [
        "warnings:G3",
        "warnings:P2",
        "alarm:drift|rate_mql_sal|FY26-M04|company",
        "alarm:drift|rate_mql_sal|FY26-M04|channel:search",
        "overdue:brand|2026-04-01",
        "overdue:V-1",
    ], "G2 is told row by row, as overdue"
    assert found["warnings:G3"].lines[0] == "4 rows; it warns and does not block"
    assert "(e-mail)" in found["warnings:P2"].lines[0]
    alarm = found["alarm:drift|rate_mql_sal|FY26-M04|company"]
    assert alarm.lines[:3] == (
        "planned 50.0 %, is 25.0 %; it rose after 4 decided leads, on 2026-04-09 14:00 UTC",
        "not yet burnt then: 100.00 USD of 200.00 USD",
        "whose move: rita (revops), variance item V-1",
    )
    assert alarm.lines[-1].startswith("run: tieout audit handoff A-")
    assert found["overdue:V-1"].lines[0] == "-50.00 USD against plan; the answer was due 2026-05-20"
    assert found["overdue:brand|2026-04-01"].lines[0].startswith("160.00 USD uncommitted")


def test_failure_is_the_same_cause_whatever_its_figures(tmp_path: Path) -> None:
    first = shown(Home(tmp_path), "no space left: 12 of 13 blocks, ann@example.com\nTraceback")
    other = shown(Home(tmp_path), "no space left: 99 of 99 blocks, bob@example.com\n")
    assert first["failed"].material == other["failed"].material
    assert "Traceback" not in str(first) and "@" not in str(first)
