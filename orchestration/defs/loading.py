"""All definitions of one home put together, for the code location and for `tieout run` alike."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from expectations.laws import load_laws
from orchestration import settings
from orchestration.defs import audit, automation, ingest, release, transform
from orchestration.defs.resources import Resources, made_per_run
from orchestration.lib.sources.config import SourcesFile, load_sources
from orchestration.lib.transform import Project
from orchestration.settings import Home

SOURCES_VARIABLE = "TIEOUT_SOURCES"


def sources_path_from_environment() -> Path:
    """The file named by TIEOUT_SOURCES, or that of the bundled sample."""
    named = os.environ.get(SOURCES_VARIABLE)
    return Path(named).expanduser().resolve() if named else settings.SAMPLE_SOURCES


def definitions_from_environment() -> dg.Definitions:
    """What `dagster` loads: the home and the sources that the environment names.

    Parses the dbt project if it has changed, because its manifest is what the assets are made of.
    """
    home, path = Home.from_environment(), sources_path_from_environment()
    project = Project(home)
    project.prepare()
    return definitions(load_sources(path), project, made_per_run(home, path))


def definitions(
    sources: SourcesFile,
    project: Project,
    resources: Resources,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
) -> dg.Definitions:
    """The assets and checks, the job that closes the books, and the one that audits an alarm.

    Args:
        sources: whose feeds become assets.
        project: the dbt project, prepared.
        resources: what the steps share.
        loggers: where Dagster logs; its console by default.
    """
    laws = load_laws()
    manifest = project.manifest
    # One job for the whole chain: a blocking check holds within the run that contains it.
    job = dg.define_asset_job(
        automation.JOB,
        selection=dg.AssetSelection.all(),
        description="Ingest, transform, freeze, check, publish.",
    )
    return dg.Definitions(
        assets=[
            *ingest.raw_assets(sources),
            ingest.landed_assets(sources, transform.source_tables(manifest)),
            transform.transform_assets(manifest),
            release.candidate_asset(manifest, project.manifest_path, laws),
            release.published_asset(manifest, laws),
        ],
        asset_checks=[release.law_checks(manifest, laws)],
        jobs=[job, audit.audit_job(project.home, sources)],
        schedules=[automation.hourly()],
        sensors=[automation.on_arrival(sources.path), audit.on_alarm(project.home)],
        resources=resources.as_dict(),
        loggers=loggers or {},
        # Steps share a lock, a DuckDB file and a warm dbt; processes of their own cost 10 s more.
        executor=dg.in_process_executor,
    )
