"""The Dagster code location: loads `defs/` for the home and sources that the environment names."""

from __future__ import annotations

from orchestration.defs.loading import definitions_from_environment

defs = definitions_from_environment()
