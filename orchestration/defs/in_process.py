"""The job run by its caller's own process, recorded in the home's Dagster instance.

Belongs here: what `tieout run` does with Dagster. Does not belong here: what a terminal shows.
"""

from __future__ import annotations

import logging

import dagster as dg

# Imported here for its time: whoever builds needs it, and the caller shows what loading took.
import dbt.cli.main  # noqa: F401

from expectations.client import Judge
from orchestration.defs import loading
from orchestration.defs.automation import JOB
from orchestration.defs.instance import open_instance, sweep_orphans
from orchestration.defs.resources import given
from orchestration.lib.run import Run

LOGGER = "tieout.dagster"


class DagsterRunError(RuntimeError):
    """Dagster ended the run, and none of our steps had failed."""


#: Stands where Dagster's console logger would.
LOG_FILE = dg.LoggerDefinition(
    logger_fn=lambda _context: logging.getLogger(LOGGER),
    description="Python's own: the caller gave it a file, and its terminal shows progress instead.",
)


def close_the_books(run: Run, judge: Judge) -> None:
    """Run the job; what came of it is in `run.record`. The caller holds the run lock."""
    run.home.work.mkdir(parents=True, exist_ok=True)
    with run.step("look at the sources") as step:
        run.landing.prepare()
        step.note = f"{len(run.landing.tables)} tables"
    with run.step("read the project") as step:
        step.note = "parsed" if run.project.prepare() else "unchanged"
        definitions = loading.definitions(
            run.sources, run.project, given(run, judge), {"log_file": LOG_FILE}
        )
        job = definitions.resolve_job_def(JOB)
    with run.step("open the history") as step:
        instance = open_instance(run.home)
        if swept := sweep_orphans(instance):
            step.note = f"{len(swept)} killed run(s) marked as failed"
    try:
        result = job.execute_in_process(
            instance=instance,
            run_config={"loggers": {"log_file": {"config": {}}}},
            raise_on_error=False,
        )
        if not result.success and run.record.failure is None and not _is_blocked(run):
            run.record.failure = DagsterRunError(_why(result))
    finally:
        instance.dispose()


def _is_blocked(run: Run) -> bool:
    return run.record.verdict is not None and not run.record.verdict.passed


def _why(result: dg.ExecuteInProcessResult) -> str:
    errors = [
        event.step_failure_data.error
        for event in result.all_events
        if event.is_step_failure and event.step_failure_data.error is not None
    ]
    return "\n".join(error.to_string() for error in errors) or "the run failed without a reason"
