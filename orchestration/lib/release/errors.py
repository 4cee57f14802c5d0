"""What can go wrong with a release: every message says what, why and what to do next."""

from __future__ import annotations


class ReleaseError(Exception):
    """A release could not be made, read or changed; readers still see the last publication."""

    def __init__(self, what: str, *, why: str, next_step: str) -> None:
        super().__init__(f"{what}\n  why:  {why}\n  next: {next_step}")
        self.what = what
        self.why = why
        self.next_step = next_step


class PromotionRefusedError(ReleaseError):
    """The candidate may not be published: its receipt does not prove that it passed the gate."""
