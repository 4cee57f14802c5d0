"""The compiled SQL of drift, once for all tests that give its models their tables by hand.

Does not belong here: what a test expects.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import duckdb

from benchmarks import drift
from orchestration.lib.compiled import CompiledModel

KPI_MODELS = ("int_drift__feed", "int_drift__kpi_day", "rpt_drift__kpi_period")
REPORT = "rpt_drift__cohort_transition"


@cache
def compiled_drift() -> dict[str, CompiledModel]:
    """By name: what judges cohorts, and what judges volumes and money."""
    with tempfile.TemporaryDirectory() as folder:
        found = drift.drift_models(Path(folder), (*drift.MODELS, *KPI_MODELS, REPORT, "kpis"))
    return {model.name: model for model in found}


def empty_books() -> duckdb.DuckDBPyConnection:
    """An empty database under the name that the SQL has for it."""
    connection = duckdb.connect()
    connection.execute(
        f"attach ':memory:' as {drift.CATALOG}; use {drift.CATALOG}; set TimeZone = 'UTC'"
    )
    return connection
