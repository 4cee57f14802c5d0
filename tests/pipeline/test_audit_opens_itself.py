"""The sensor, the job and the end of a run: an alarm is audited and told without anyone asking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.audit import JOB, audit_job, on_alarm
from orchestration.defs.instance import open_instance
from orchestration.defs.resources import BOOKS, made_per_run
from orchestration.lib.audit.pack import pack_of, standing_alarms
from orchestration.lib.lock import current_holder
from orchestration.lib.notify.state import read_state
from orchestration.lib.run import Run
from orchestration.lib.sources.config import load_sources
from orchestration.settings import Home
from tests.support.alarmed import block, everything, law, publish
from tests.support.webhook import Webhook, webhook

SECRET = "c4n4ryS3cr3t"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with webhook() as listening:
        monkeypatch.setenv("OPS_URL", listening.url(SECRET))
        yield listening


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    publish(made, 1)
    return made


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    path = tmp_path / "sources.yml"
    path.write_text(
        "version: 1\ncompany: {name: Sample Inc, reporting_currency: USD}\n"
        "sources: {crm: {adapter: canonical, path: .}}\n"
        "notify: {channels: {ops: {url_env: OPS_URL}}}\n"
    )
    return path


def ticked(
    home: Home, cursor: str | None, instance: dg.DagsterInstance | None = None
) -> dg.SensorResult | dg.SkipReason:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    answer = on_alarm(home)(context)
    assert isinstance(answer, dg.SensorResult | dg.SkipReason)
    return answer


def asked(answer: dg.SensorResult | dg.SkipReason) -> list[str | None]:
    assert isinstance(answer, dg.SensorResult)
    return [request.run_key for request in answer.run_requests or []]


def test_sensor_asks_for_one_audit_per_alarm(home: Home, tmp_path: Path) -> None:
    assert isinstance(ticked(Home(tmp_path / "empty"), None), dg.SkipReason)
    keys = [alarm.key for alarm in standing_alarms(home, 1)]
    first = ticked(home, None)
    assert asked(first) == keys, "the run key is the alarm's own: Dagster runs it once"
    assert isinstance(first, dg.SensorResult)
    assert isinstance(ticked(home, first.cursor), dg.SkipReason)
    publish(home, 2)
    second = ticked(home, first.cursor)
    assert asked(second) == [], "the same alarms stand in the next publication"
    publish(
        home, 3, changes="update rpt_drift__cohort_transition set is_alarm = true,"
        " alarmed_at = '2026-05-10 09:00' where scope = 'campaign:social'",
    )  # fmt: skip
    assert isinstance(second, dg.SensorResult)
    third = ticked(home, second.cursor)
    assert asked(third) == [
        alarm.key for alarm in standing_alarms(home, 3) if alarm.scope == "campaign:social"
    ]


def test_many_first_alarms_are_asked_for_in_turns(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.defs.audit._AT_MOST", 1)
    first = ticked(home, None)
    assert isinstance(first, dg.SensorResult)
    second = ticked(home, first.cursor)
    assert isinstance(second, dg.SensorResult)
    assert sorted(map(str, asked(first) + asked(second))) == sorted(
        alarm.key for alarm in standing_alarms(home, 1)
    )
    assert isinstance(ticked(home, second.cursor), dg.SkipReason)


def test_sensor_says_when_a_publication_cannot_be_read(home: Home) -> None:
    (home.releases / "1" / "receipt.json").write_text("{}")
    answer = ticked(home, None)
    assert isinstance(answer, dg.SkipReason) and "receipt" in str(answer.skip_message)


def test_job_makes_the_pack_and_tells_once(home: Home, sources: Path, hook: Webhook) -> None:
    first, second = standing_alarms(home, 1)
    (request, _) = ticked(home, None).run_requests or []  # type: ignore[union-attr]
    job = audit_job(home, load_sources(sources))
    with open_instance(home) as instance:
        for key in (first.key, second.key):
            config = {"ops": {"make_pack": {"config": {"alarm": key, "publication": 1}}}}
            if key == first.key:
                assert request.run_config == config
            result = job.execute_in_process(run_config=config | QUIET, instance=instance)
            assert result.success and job.name == JOB
        (output,) = [event for event in result.all_events if event.is_successful_output]
        metadata = output.step_output_data.metadata
    assert Path(str(metadata["page"].value)).is_file()
    assert pack_of(home, first) is not None and pack_of(home, second) is not None
    assert len(hook.heard) == 1, "told with the first audit; the second finds it told"
    assert "open: " in hook.heard[0]["message"], "and names the pack"
    assert SECRET not in everything(home.root), "neither in the history nor anywhere"


def test_job_with_an_alarm_that_is_none_fails(home: Home, sources: Path) -> None:
    job = audit_job(home, load_sources(sources))
    config = {"ops": {"make_pack": {"config": {"alarm": "A-0000000000", "publication": 1}}}}
    assert not job.execute_in_process(run_config=config | QUIET, raise_on_error=False).success


def ended(home: Home, sources: Path, failure: str | None) -> bool:
    """A run as the daemon starts it, cut down to one step that works or fails."""

    @dg.op(required_resource_keys={BOOKS})
    def step(context) -> None:
        run: Run = context.resources.books
        with run.step("anything"):
            if failure is not None:
                raise RuntimeError(failure)

    @dg.job(resource_defs={BOOKS: made_per_run(home, sources).books})
    def anything() -> None:
        step()

    return anything.execute_in_process(run_config=QUIET, raise_on_error=False).success


def test_run_of_the_daemon_tells_how_it_ended(home: Home, sources: Path, hook: Webhook) -> None:
    assert ended(home, sources, None)
    block(home, 2, law("B1", status="broken", offending_count=1))
    assert not ended(home, sources, "the disk is full")
    assert hook.titles[1:] == [
        "Sample Inc: blocked by B1",
        "Sample Inc: the run ended with an error",
    ]
    assert "the disk is full" in hook.heard[2]["message"]
    assert current_holder(home) is None
    # One step alone says nothing of failures: the run before is not called mended.
    assert ended(home, sources, None)
    assert len(hook.heard) == 3
    assert read_state(home)["ops"].failing_since is None
