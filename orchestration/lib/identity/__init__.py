"""Who is who, where exact rules cannot tell: suggestions for people to review.

Belongs here: probabilistic matching and its measure. Does not belong here: the exact rules, which
are models of dbt, and the command (`orchestration.cli.identity`).
"""

from orchestration.lib.identity.matching import (
    IdentityError,
    SplinkMissingError,
    Suggestion,
    last_run_records,
    suggest,
    write_suggestions,
)

__all__ = [
    "IdentityError",
    "SplinkMissingError",
    "Suggestion",
    "last_run_records",
    "suggest",
    "write_suggestions",
]
