"""The Dagster instance of a home: run history in SQLite, telemetry off, one run at a time.

Belongs here: `dagster.yaml`, opening the instance, marking runs that were killed. Does not belong
here: what is run.
"""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import yaml

from orchestration.settings import Home

#: Of the web server and the daemon, and of runs they start.
SERVED = "dagster.yaml"
#: Of a run within `tieout run`: what it prints belongs to the terminal, not to a log of Dagster's.
IN_PROCESS = "in_process.yaml"


def write_configuration(home: Home) -> Path:
    """Write both files where they are not as they should be; the folder is DAGSTER_HOME."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    served = _configuration(home)
    in_process = served | {
        "compute_logs": {
            "module": "dagster._core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
        }
    }
    for name, content in ((SERVED, served), (IN_PROCESS, in_process)):
        path = home.dagster / name
        text = (
            "# Written by tieout at every start; a change here does not last.\n"
            + yaml.safe_dump(content, sort_keys=False)
        )
        if not path.exists() or path.read_text() != text:
            fresh = path.with_name(path.name + ".new")
            fresh.write_text(text)
            fresh.replace(path)
    return home.dagster


def _configuration(home: Home) -> dict[str, object]:
    storage = home.dagster / "storage"
    return {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "freshness": {"enabled": True},
        # Every run writes the same home. The limit stands here in so many words: with a default
        # alone, the first two runs of a fresh instance both started.
        "concurrency": {"runs": {"max_concurrent_runs": 1}},
        # A run whose process was killed must not hold the queue.
        "run_monitoring": {"enabled": True, "poll_interval_seconds": 10},
        "run_storage": {
            "module": "dagster._core.storage.runs",
            "class": "SqliteRunStorage",
            "config": {"base_dir": str(storage / "runs")},
        },
        "event_log_storage": {
            "module": "orchestration.defs.event_log",
            "class": "KeptSqliteEventLogStorage",
            "config": {"base_dir": str(storage / "events")},
        },
        "schedule_storage": {
            "module": "dagster._core.storage.schedules",
            "class": "SqliteScheduleStorage",
            "config": {"base_dir": str(storage / "schedules")},
        },
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(home.dagster)},
        },
        "retention": {
            "schedule": {"purge_after_days": 90},
            "sensor": {"purge_after_days": {"skipped": 7, "started": 90}},
        },
    }


def open_instance(home: Home, configuration: str = IN_PROCESS) -> dg.DagsterInstance:
    """The instance; dispose it after use."""
    return dg.DagsterInstance.from_config(str(write_configuration(home)), configuration)


def sweep_orphans(instance: dg.DagsterInstance) -> list[str]:
    """Mark as failed the runs that still seem to go. The caller holds the run lock: none does.

    A run whose process was killed together with the daemon stays STARTED for ever and holds the
    queue; only whoever holds the lock can know that it is dead.
    """
    alive = dg.RunsFilter(
        statuses=[
            dg.DagsterRunStatus.STARTING,
            dg.DagsterRunStatus.STARTED,
            dg.DagsterRunStatus.CANCELING,
        ]
    )
    swept = []
    for run in instance.get_runs(filters=alive):
        instance.report_run_failed(run, "its process ended before the run did (killed?)")
        swept.append(run.run_id)
    return swept


def table(rows: list[dict[str, object]], limit: int = 20) -> dg.MarkdownMetadataValue:
    """Rows as a Markdown table, for metadata that people read."""
    if not rows:
        return dg.MetadataValue.md("(none)")
    names = list(rows[0])
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(_cell(row.get(name)) for name in names) for row in rows[:limit]]
    more = f"\n\n… and {len(rows) - limit} more" if len(rows) > limit else ""
    return dg.MetadataValue.md("\n".join(f"| {line} |" for line in lines) + more)


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text.replace("|", "\\|").replace("\n", " ")
