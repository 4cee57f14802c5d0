"""Delivery through a webhook on loopback: once, again after a failure, and never the address."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.cli.status import read_status
from orchestration.lib.notify import tell as telling
from orchestration.lib.notify.delivery import deliver
from orchestration.lib.notify.messages import Message
from orchestration.lib.notify.state import read_state
from orchestration.lib.notify.tell import Report, tell
from orchestration.lib.sources.config import Channel
from orchestration.settings import Home
from tests.support.alarmed import block, everything, law, publish
from tests.support.webhook import Webhook, webhook

CANARY = "c4n4ryS3cr3t"
QUICK = (0.01, 0.01)
BROKEN = law("B1", status="broken", offending_count=1)


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as listening:
        yield listening


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    publish(made, 1)
    return made


def told(home: Home, *names: str, failure: str | None = None) -> Report:
    channels = {name: Channel(url_env=f"{name.upper()}_URL") for name in names or ("ops",)}
    report = tell(home, channels, failure=failure, pauses=QUICK)
    assert report.problem is None
    return report


def test_each_cause_once_and_once_more_when_it_is_gone(
    home: Home, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_URL", hook.url())
    told(home)
    assert hook.titles == [
        "Sample Inc: alarm: mql → sal of company below plan, FY26-M04 and 1 more"
    ]
    assert "run: tieout audit handoff A-" in hook.heard[0]["message"]
    publish(home, 2)
    told(home)
    assert len(hook.heard) == 1, "the next hourly run finds the same alarms"
    block(home, 3, BROKEN)
    told(home)
    block(home, 3, BROKEN)
    told(home)
    publish(home, 3, changes="update rpt_drift__cohort_transition set is_alarm = false")
    told(home, failure="disk full")
    told(home)
    told(home)
    assert hook.titles[1:] == [
        "Sample Inc: blocked by B1",
        "Sample Inc: the run ended with an error",
        "Sample Inc: resolved: B1 and 2 more",
        "Sample Inc: resolved: the run ended with an error",
    ]


def test_a_service_that_fails_twice_hears_it_the_third_time(
    home: Home, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_URL", hook.url())
    hook.answers = [503, 500]
    (line,) = told(home).channels
    assert (len(line.told), line.waiting, line.reason) == (1, 0, None)
    assert (hook.asked, len(hook.heard)) == (3, 1)


def test_what_did_not_get_through_is_told_with_the_next_run(
    home: Home, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other channel hears of it at once, and only once."""
    monkeypatch.setenv("OPS_URL", hook.url("ops"))
    monkeypatch.setenv("SALES_URL", hook.url("sales"))
    told(home, "ops", "sales")
    publish(home, 2)
    block(home, 3, BROKEN)
    monkeypatch.setenv("SALES_URL", "json://127.0.0.1:1/nobody")
    report = told(home, "ops", "sales")
    (failed,) = report.failed
    assert (failed.channel, failed.waiting) == ("sales", 1)
    assert failed.reason == "no connection (3 tries)"
    since = read_state(home)["sales"].failing_since
    moment = telling.datetime.now(telling.UTC)
    assert read_status(home, moment).not_told == (
        f"sales: no connection (3 tries), since {since}; 1 waiting",
    )
    monkeypatch.setenv("SALES_URL", hook.url("sales"))
    told(home, "ops", "sales")
    blocks = [each["path"] for each in hook.heard if "blocked" in each["title"]]
    assert blocks == ["/ops", "/sales"]
    assert read_status(home, moment).not_told == ()


def test_channel_that_was_never_reached_hears_what_stands_in_one_message(
    home: Home, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    (line,) = told(home).channels
    assert line.reason == "the environment variable OPS_URL is not set"
    publish(home, 2, law("G3", status="broken", severity="warn", offending_count=1))
    monkeypatch.setenv("OPS_URL", hook.url())
    told(home)
    assert hook.titles == ["Sample Inc: 1 warning, 2 alarms"]


@pytest.mark.parametrize(
    "address",
    [
        f"json://user:{CANARY}@127.0.0.1:1/{CANARY}?cto=1",
        f"slack://{CANARY}",
        f"mailto://user:{CANARY}@127.0.0.1:1?smtp=127.0.0.1&to=a@b.example",
        f"jsons://127.0.0.1:1/{CANARY}?+X={CANARY}&rto=nonsense",
        f"no address at all {CANARY}",
    ],
)
def test_secret_is_nowhere(
    home: Home,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Apprise logs addresses, and the HTTP library under it too; nobody listens to them."""
    monkeypatch.setenv("OPS_URL", address)
    with caplog.at_level(logging.DEBUG):
        report = told(home)
    (failed,) = report.failed
    out, err = capfd.readouterr()
    assert CANARY not in caplog.text + out + err + str(report.as_dict()) + everything(home.root)
    assert "channel ops was not reached: " in caplog.text, "and yet it is told plainly"
    assert (failed.reason and "OPS_URL" in failed.reason) or "tries" in str(failed.reason)


def test_secret_that_gets_through_is_nowhere_either(
    home: Home, hook: Webhook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPS_URL", hook.url(CANARY))
    with caplog.at_level(logging.DEBUG):
        report = told(home)
    assert hook.heard[0]["path"] == f"/{CANARY}"
    assert CANARY not in caplog.text + str(report.as_dict()) + everything(home.root)


def test_courier_that_hangs_is_ended_and_what_it_delivered_counts(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second message would be tried again in ten minutes."""
    monkeypatch.setenv("OPS_URL", hook.url())
    hook.answers = [200, 500]
    messages = [Message("a", "A", "a"), Message("b", "B", "b")]
    began = time.monotonic()
    answer = deliver({"ops": ("OPS_URL", messages)}, pauses=(600.0,), longest=8.0)["ops"]
    assert time.monotonic() - began < 60
    assert answer.reason == "no answer within 8 seconds"
    # One, unless the machine was too slow to start it.
    assert answer.delivered == len(hook.heard) <= 1


def test_trouble_of_our_own_never_reaches_the_run(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (home.releases / "1" / "tieout.duckdb").write_text("no database")
    report = tell(home, {"ops": Channel(url_env="OPS_URL")}, pauses=QUICK)
    assert report.problem is not None and "nobody was told" in caplog.text
    assert os.environ.get("OPS_URL") is None


def test_command_tries_a_channel(
    home: Home, hook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tmp_path / "sources.yml"
    sources.write_text(
        "version: 1\ncompany: {name: Sample Inc, reporting_currency: USD}\n"
        "sources: {crm: {adapter: canonical, path: .}}\n"
        "notify:\n  channels:\n    ops: {url_env: OPS_URL, events: [blocked]}\n"
        "    lost: {url_env: LOST_URL}\n"
    )
    monkeypatch.setenv("OPS_URL", hook.url(CANARY))
    monkeypatch.setenv("TIEOUT_HOME", str(home.root))

    def call(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["notify", *arguments, "--sources", str(sources)])
        assert CANARY not in result.output
        return result.exit_code, result.output

    assert call("test", "ops") == (0, "channel ops: delivered\n")
    assert hook.titles == ["Sample Inc: Tieout reaches this channel"]
    code, output = call("test", "lost")
    assert code == 1 and "the environment variable LOST_URL is not set" in output
    code, output = call("test", "nobody")
    assert code == 2 and "ops, lost" in output
    code, output = call("preview")
    assert code == 0 and "channel ops: no messages" in output
    assert "channel lost: 1 message" in output and "not yet burnt" in output
    assert read_state(home) == {}, "nothing is remembered"
