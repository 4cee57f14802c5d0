"""The sample company: one deterministic generator for the sample, the tests and the benchmarks.

Public: `CompanySpec`, `Oddities`, `ERRORS`, `generate`, `Truth`. On the command line:
`python -m orchestration.lib.sample --out FOLDER`.
"""

from orchestration.lib.sample.generator import Format, Truth, generate
from orchestration.lib.sample.spec import ERRORS, SCENARIOS, CompanySpec, Oddities, Scenario

__all__ = [
    "ERRORS",
    "SCENARIOS",
    "CompanySpec",
    "Format",
    "Oddities",
    "Scenario",
    "Truth",
    "generate",
]
