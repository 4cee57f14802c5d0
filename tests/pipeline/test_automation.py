"""The instance, the schedule and the sensor: what runs by itself, and after a kill."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import dagster as dg
import yaml

from orchestration.defs.automation import hourly, on_arrival
from orchestration.defs.instance import IN_PROCESS, SERVED, open_instance, sweep_orphans
from orchestration.settings import Home


def ticked(sources: Path, cursor: str | None) -> dg.SensorResult | dg.SkipReason:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        answer = on_arrival(sources)(context)
    assert isinstance(answer, dg.SensorResult | dg.SkipReason)
    return answer


def aged(folder: Path) -> None:
    """As if nothing had been written since long ago, and all of it at once."""
    for path in folder.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def test_sensor_asks_for_a_run_once_per_change(company: Path, tmp_path: Path) -> None:
    folder = tmp_path / "company"
    shutil.copytree(company.parent, folder)
    sources = folder / "sources.yml"
    aged(folder)
    first = ticked(sources, None)
    assert isinstance(first, dg.SensorResult) and len(first.run_requests or []) == 1
    assert isinstance(ticked(sources, first.cursor), dg.SkipReason)
    with (folder / "data" / "leads.csv").open("a") as file:
        file.write("\n")
    waiting = ticked(sources, first.cursor)
    assert isinstance(waiting, dg.SkipReason) and "settled" in str(waiting.skip_message)
    aged(folder)
    second = ticked(sources, first.cursor)
    assert isinstance(second, dg.SensorResult) and second.cursor != first.cursor
    (folder / "plan" / "draft").mkdir()
    (folder / "plan" / "draft" / "plan.csv").write_text("key,value\n")
    aged(folder)
    assert isinstance(ticked(sources, second.cursor), dg.SkipReason), "a draft does not count"
    with (folder / "plan" / "commitments.csv").open("a") as file:
        file.write("\n")
    aged(folder)
    third = ticked(sources, second.cursor)
    assert isinstance(third, dg.SensorResult) and third.cursor != second.cursor


def test_sensor_says_what_is_wrong_with_sources_yml(tmp_path: Path) -> None:
    sources = tmp_path / "sources.yml"
    sources.write_text("version: 1\nsource: {}\n")
    answer = ticked(sources, None)
    assert isinstance(answer, dg.SkipReason)
    assert "sources.yml:" in str(answer.skip_message)


def test_schedule_is_hourly_and_on_where_a_daemon_runs() -> None:
    schedule = hourly()
    assert schedule.cron_schedule == "0 * * * *"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def test_instance_has_no_telemetry_and_runs_one_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with open_instance(home) as instance:
        assert not instance.telemetry_enabled
    for name in (SERVED, IN_PROCESS):
        content = yaml.safe_load((home.dagster / name).read_text())
        assert content["concurrency"]["runs"]["max_concurrent_runs"] == 1


def test_killed_run_is_marked_failed_and_an_ended_one_is_left_alone(tmp_path: Path) -> None:
    @dg.job
    def anything() -> None:
        pass

    with open_instance(Home(tmp_path)) as instance:
        killed = instance.create_run_for_job(anything, status=dg.DagsterRunStatus.STARTED)
        ended = instance.create_run_for_job(anything, status=dg.DagsterRunStatus.SUCCESS)
        assert sweep_orphans(instance) == [killed.run_id]
        statuses = {run.run_id: run.status for run in instance.get_runs()}
    assert statuses[killed.run_id] == dg.DagsterRunStatus.FAILURE
    assert statuses[ended.run_id] == dg.DagsterRunStatus.SUCCESS
