"""When the job runs by itself: every hour, and when files arrive.

Both are on wherever a Dagster daemon runs this location, which is `tieout ui`; without it nothing
runs by itself. They can be switched off in the UI, which remembers it.
"""

import hashlib
import time
from pathlib import Path

# No `from __future__ import annotations` here: Dagster reads the type of `context` at run time.
import dagster as dg

from orchestration.lib.plan.folder import versions
from orchestration.lib.sources.config import SourcesError, feed_tables, load_sources

JOB = "close_the_books"
#: A file touched within so many seconds may still be being written.
SETTLED_SECONDS = 10.0


def hourly() -> dg.ScheduleDefinition:
    """Cohorts age, SLAs run out and sources grow stale without a new file: look every hour."""
    return dg.ScheduleDefinition(
        name="hourly",
        job_name=JOB,
        cron_schedule="0 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Closes the books every hour.",
    )


def on_arrival(sources_path: Path) -> dg.SensorDefinition:
    """Closes the books when a file of a source, sources.yml or the plan in force has changed."""

    @dg.sensor(
        name="arriving_files",
        job_name=JOB,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Closes the books when a source, sources.yml or the plan has changed.",
    )
    def arriving_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            files = watched_files(sources_path)
        except SourcesError as error:
            return dg.SkipReason(f"sources.yml cannot be used:\n{error}")
        if any(time.time() - path.stat().st_mtime < SETTLED_SECONDS for path in files):
            return dg.SkipReason("a file was written to just now; waiting until it is settled")
        state = digest(files)
        if state == context.cursor:
            return dg.SkipReason(f"none of {len(files)} files has changed")
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=state)], cursor=state)

    return arriving_files


def watched_files(sources_path: Path) -> list[Path]:
    """sources.yml, every file that its sources match now, and what counts of the plan.

    A draft does not count; versions, their signatures and the registers do.
    """
    sources = load_sources(sources_path)
    files = {path for source in feed_tables(sources) for path in source.files()}
    root = sources.plan_root
    if root is not None:
        files.update(path for path in root.iterdir() if path.is_file())
        files.update(path for folder in versions(root).values() for path in folder.iterdir())
    return sorted(files | {sources.path})


def digest(files: list[Path]) -> str:
    """Names, sizes and times; the landing hashes the bytes, and lands none of them twice."""
    state = hashlib.sha256()
    for path in files:
        stat = path.stat()
        state.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return state.hexdigest()
