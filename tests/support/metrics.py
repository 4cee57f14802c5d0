"""MetricFlow on a published file: a metric by name, answered by MetricFlow's own SQL.

Belongs here: turning names into SQL and running it as a guest. Does not belong here: what a metric
should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import (
    parse_manifest_from_dbt_generated_manifest,
)
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from orchestration.lib.release.reader import open_published
from orchestration.settings import Home


class Ask(Protocol):
    """Answers metrics by name."""

    def __call__(
        self, metrics: Sequence[str], by: Sequence[str]
    ) -> dict[tuple[Any, ...], tuple[Any, ...]]: ...


class _Client:
    """What MetricFlow asks of an engine to write SQL for it; nothing is run through it."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()


def metric_names(home: Home) -> list[str]:
    """Every metric of the project."""
    manifest = parse_manifest_from_dbt_generated_manifest(_manifest(home))
    return [metric.name for metric in manifest.metrics]


def asking(home: Home) -> Ask:
    """Metrics from what is published in this home, by the project as it was parsed there."""
    manifest = parse_manifest_from_dbt_generated_manifest(_manifest(home))
    engine = MetricFlowEngine(SemanticManifestLookup(manifest), _Client())  # type: ignore[arg-type]

    def ask(metrics: Sequence[str], by: Sequence[str]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        request = MetricFlowQueryRequest.create(metric_names=metrics, group_by_names=by)
        # Columns come as MetricFlow orders them: groups, then metrics.
        statement = engine.explain(request).sql_statement.sql.replace('"warehouse".', "")
        with open_published(home) as books:
            found = books.execute(statement)
            names = [column[0] for column in found.description]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return {tuple(row[g] for g in by): tuple(row[m] for m in metrics) for row in rows}

    return ask


def _manifest(home: Home) -> str:
    return (home.dbt_target / "semantic_manifest.json").read_text(encoding="utf-8")
