"""From files to typed Parquet, every load kept; and the inputs that one run reads."""

from __future__ import annotations

from orchestration.lib.landing.plan import (
    LandingPlan,
    LandingReport,
    TableReport,
    land,
    land_table,
    link_inputs,
)
from orchestration.lib.sources.files import SetupError

__all__ = [
    "LandingPlan",
    "LandingReport",
    "SetupError",
    "TableReport",
    "land",
    "land_table",
    "link_inputs",
]
