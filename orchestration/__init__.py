"""Tieout: the Python side of the pipeline; also the Dagster code location."""

__version__ = "0.1.0"
