"""The run's record: outcomes, steps, failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.verdict import Verdict
from orchestration.lib.run import EXIT_CODE, Record, Run
from orchestration.lib.transform import NodeResult
from orchestration.settings import SAMPLE_SOURCES, Home

BLOCKED = Verdict(
    passed=False, results=[], as_of=None, currency=None, notes=[], error="no judge", seconds=0.0
)


def test_nothing_done_is_an_error() -> None:
    assert Record().outcome == "error"


def test_failed_verdict_blocks() -> None:
    assert EXIT_CODE[Record(verdict=BLOCKED).outcome] == 3


def test_error_outweighs_a_verdict() -> None:
    assert EXIT_CODE[Record(verdict=BLOCKED, failure=ValueError("x")).outcome] == 1


def test_failing_step_is_recorded_with_its_error(tmp_path: Path) -> None:
    run = Run(Home(tmp_path), SAMPLE_SOURCES)
    with run.step("ingest") as step:
        step.note = "3 rows"
    with pytest.raises(ValueError, match="broken"), run.step("transform"):
        raise ValueError("broken")
    assert [(step.name, step.note) for step in run.record.steps] == [
        ("ingest", "3 rows"),
        ("transform", "failed"),
    ]
    answer = run.as_dict()
    assert answer["error"] == "broken"
    assert answer["exit_code"] == 1


def test_failed_node_is_explained_with_its_file() -> None:
    node = NodeResult(
        unique_id="test.tieout.unique",
        name="unique_x",
        resource_type="test",
        status="fail",
        message="Got 2 results, configured to fail if != 0",
        failures=2,
        seconds=0.1,
        path="dbt_project/models/x.yml",
    )
    assert node.failed
    assert node.explain().splitlines() == [
        "test unique_x (2 rows) in dbt_project/models/x.yml:",
        "    Got 2 results, configured to fail if != 0",
    ]
