"""The benchmark in small: all sides do the same work, and every step has its time and memory."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest

from benchmarks import credit
from benchmarks.__main__ import measure
from benchmarks.by_hand import STEPS
from benchmarks.processes import BenchmarkError, Use, module, watch
from benchmarks.report import Report, text
from benchmarks.sides import (
    AROUND,
    WORK,
    Outcome,
    Release,
    company,
    demand_same_work,
    environment,
)

LEADS = 2_000


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    cache = tmp_path_factory.mktemp("benchmarks")
    made = company(cache, "csv", LEADS, 3)
    return measure(made, cache, "2GiB", repeat=1, answers=False)


def test_all_sides_did_the_same_work(report: Report) -> None:
    ((ours, theirs),) = report.pairs
    assert ours.input_rows == theirs.input_rows == report.scan.input_rows > LEADS * 4
    assert ours.release is not None
    assert theirs.release is not None
    assert ours.release.rows == theirs.release.rows
    assert ours.release.rows["main.fct_lead"] > LEADS * 0.9
    assert ours.release.money == theirs.release.money
    assert ours.release.money["main.fct_dollar_journal__entry.amount_minor"] > 0
    assert ours.release.content_sha256 == theirs.release.content_sha256


def test_every_step_has_time_and_memory(report: Report) -> None:
    ((ours, theirs),) = report.pairs
    assert [step.name for step in ours.steps] == [*WORK, AROUND]
    assert {step.name for step in theirs.steps} == {*WORK, AROUND} - {"seal and publish"}
    for outcome in (ours, theirs, report.scan):
        for step in outcome.steps:
            assert step.use.seconds > 0, step
            assert step.use.peak_bytes > 1 << 20, step
            assert step.use.processor_seconds >= 0, step
        steps = sum(step.use.processor_seconds for step in outcome.steps)
        assert steps <= outcome.whole.processor_seconds * 1.01
        assert max(step.use.peak_bytes for step in outcome.steps) <= outcome.whole.peak_bytes
    # The judge is a process of its own: both it and the run are in the figure.
    assert ours.whole.peak_bytes > 200 << 20


def test_the_work_by_hand_is_told_block_by_block(report: Report) -> None:
    ((_, theirs),) = report.pairs
    assert {step for step, _, _ in theirs.parts} == set(STEPS)
    assert ("models", "fct_lead") in {(step, name) for step, name, _ in theirs.parts}


def test_report_for_people_and_for_programs(report: Report) -> None:
    shown = text(report)
    for name in (*WORK, AROUND, "bare scan", "whole run", "by hand", "time", "processor", "peak"):
        assert name in shown
    assert f"{LEADS:,} leads" in shown
    told = json.loads(json.dumps(report.as_dict()))
    assert told["ratios"] == [pytest.approx(report.ratios[0])]
    assert told["company"]["leads"] == LEADS


def test_nothing_is_left_behind(report: Report) -> None:
    cache = report.company.folder.parent
    assert [path.name for path in cache.iterdir()] == [report.company.folder.name]


def test_another_release_is_refused(report: Report) -> None:
    ((ours, _),) = report.pairs
    assert ours.release is not None
    other = Release(
        "0" * 64, ours.release.rows | {"main.fct_lead": 1}, ours.release.money, ours.release.tables
    )
    theirs = Outcome("by hand", ours.whole, [], [], ours.input_rows, other)
    with pytest.raises(BenchmarkError, match=r"differ in rows: main\.fct_lead"):
        demand_same_work([ours, theirs])
    fewer = Outcome("by hand", ours.whole, [], [], ours.input_rows - 1, ours.release)
    with pytest.raises(BenchmarkError, match="different numbers of input rows"):
        demand_same_work([ours, fewer])


def test_watch_counts_the_children(tmp_path: Path) -> None:
    child = "import time; held = bytearray(b'x' * (200 << 20)); time.sleep(1.5)"
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    )
    script = tmp_path / "parent.py"
    script.write_text(parent)
    watched = watch([sys.executable, str(script)], environment(), tmp_path)
    assert watched.whole.peak_bytes > 200 << 20
    assert watched.seconds > 1.5
    assert watched.whole.processor_seconds < watched.seconds


def test_watch_tells_what_failed(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"exited with 1:[\s\S]*No module named"):
        watch(module("benchmarks.no_such_module"), environment(), tmp_path)


def test_credit_beside_the_package_in_small(tmp_path: Path) -> None:
    """Ours alone where the package is not installed: it needs a C++ compiler."""
    folder = credit.made(tmp_path, 5_000)
    assert credit.made(tmp_path, 5_000) == folder  # Made once.
    # `make compare` installs it, and CI does: there it may not be missing.
    if importlib.util.find_spec("ChannelAttribution") is None and "CI" not in os.environ:
        pytest.skip("the package channelattribution is not installed (make compare)")
    found = credit.measure(folder, tmp_path, 5_000, repeat=1)
    (each,) = found.rounds
    ours, same, theirs = each.ours, each.same, each.theirs
    assert set(same.totals) == set(theirs.totals)
    assert set(theirs.totals) == {"first_touch", "last_touch", "linear"}
    assert len(ours.totals) == 7
    assert ours.credits > 5 * 5_000
    for name in ("ours", "channelattribution", "paths", "credit", "5,000 touches"):
        assert name in credit.text(found)
    assert json.loads(json.dumps(found.as_dict()))["paths"] == found.paths
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_credit_refuses_sides_that_disagree(tmp_path: Path) -> None:
    use = Use(1.0, 1.0, 1)
    ours = credit.Side("ours", use, {}, {"linear": {"a": 100.0, "b": 50.0}}, 2)
    theirs = credit.Side("package", use, {}, {"linear": {"a": 97.0, "b": 53.0}}, 0)
    credit.demand_agreement(ours, theirs, paths=3)
    with pytest.raises(BenchmarkError, match="linear, a: 100"):
        credit.demand_agreement(ours, theirs, paths=2)
